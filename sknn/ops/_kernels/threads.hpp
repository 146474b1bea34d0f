// Work in pieces that some threads share: each takes the next piece when it is done with one.
//
// Every thread begins in a stretch of its own, the same one in each call, so that it finds in its cache what it wrote
// there before; then it helps in those of the others. So nobody waits for a thread that did not come: on a busy machine
// the caller does all of the work. Which thread does a piece must not change a bit of the result.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

constexpr std::ptrdiff_t MOST_THREADS = 128;

// How many threads may compute now, as the environment, joblib or threadpoolctl have set it for this thread.
int most_threads();

class Turn;

class Pieces {
    friend class Turn;
    struct Stretch {
        std::atomic<std::ptrdiff_t> next;
        std::ptrdiff_t end;
        char apart[64 - 2 * sizeof(std::ptrdiff_t)];  // from the cache line of the next one
    };
    using Body = void (*)(const void* body, Turn& turn);

    const Body call;
    const void* const body;
    Stretch stretches[MOST_THREADS];

public:
    const int team;
    const double cost;  // multiplications, or what takes as long

    Pieces(std::ptrdiff_t n, int team, double cost, Body call, const void* body)
        : call(call), body(body), team(team), cost(cost) {
        for (int k = 0; k < team; ++k) {
            stretches[k].next.store(k * n / team, std::memory_order_relaxed);
            stretches[k].end = (k + 1) * n / team;
        }
    }
    bool any_left() const {
        return std::any_of(stretches, stretches + team, [](const Stretch& stretch) {
            return stretch.next.load(std::memory_order_relaxed) < stretch.end;
        });
    }
    void work(int member);
};

// A thread's way through the pieces.
class Turn {
    Pieces& pieces;
    const int member;
    int done_with = 0;  // so many stretches

public:
    Turn(Pieces& pieces, int member) : pieces(pieces), member(member) {}

    // The next piece, if there is one left.
    bool take(std::ptrdiff_t& piece) {
        for (; done_with < pieces.team; ++done_with) {
            Pieces::Stretch& stretch = pieces.stretches[(member + done_with) % pieces.team];
            if (stretch.next.load(std::memory_order_relaxed) >= stretch.end) continue;
            piece = stretch.next.fetch_add(1, std::memory_order_relaxed);
            if (piece < stretch.end) return true;
        }
        return false;
    }
};

inline void Pieces::work(int member) {
    Turn turn(*this, member);
    call(body, turn);
}

// Lets the threads of the team work, this one among them, until all pieces are done; this one alone where the others
// are at work for somebody else. Throws std::bad_alloc where the body of one threw something.
void together(Pieces& pieces);

// body(turn) on up to so many threads, each of which takes some of n pieces. The cost, in multiplications, tells
// whether it is worth waking those that sleep.
template <class Body>
void share(std::ptrdiff_t threads, std::ptrdiff_t n, double cost, const Body& body) {
    const auto team = std::max<std::ptrdiff_t>(1, std::min({threads, n, MOST_THREADS}));
    const auto call = [](const void* body, Turn& turn) { (*static_cast<const Body*>(body))(turn); };
    Pieces pieces(n, int(team), cost, call, &body);
    together(pieces);
}

// body(from, to) on up to so many threads, for stretches of `length` that make up [0, n).
template <class Body>
void share_stretches(std::ptrdiff_t threads, std::ptrdiff_t n, std::ptrdiff_t length, double cost,
                     const Body& body) {
    share(threads, (n + length - 1) / length, cost, [&](Turn& turn) {
        for (std::ptrdiff_t piece; turn.take(piece);) body(piece * length, std::min(n, (piece + 1) * length));
    });
}
