// The threads that share the work of kernels. They wait for it awake for a short while, and then asleep: the threads of
// OpenMP stay awake for milliseconds, and take the processors from whoever has work to do on a busy machine.
//
// OpenMP is asked for nothing but the number of threads, so that every way to limit it holds for these threads, too;
// and where the compiler lacks it, there is one.
#include "threads.hpp"

#include "subnormal.hpp"

#ifndef _OPENMP

int most_threads() {
    return 1;
}

void together(Pieces& pieces) {
    pieces.work(0);
}

#else

#include <omp.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto SHORT_WHILE = std::chrono::microseconds(300);  // between two kernels of a step
constexpr auto INTERRUPTION = std::chrono::microseconds(200);  // no device takes so long, but another thread does
constexpr Clock::duration LEAST_BUSY = std::chrono::milliseconds(100), MOST_BUSY = std::chrono::milliseconds(1600);
constexpr double WORTH_WAKING = 5e5, WORTH_WAKING_WHERE_BUSY = 1e7;  // multiplications

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    asm volatile("yield");
#endif
}

// Whether the machine is busy: then who waits awake takes time from those who have work to do, maybe from the very
// threads that it waits for. It shows when the processor is taken from who was waiting, and counts for a while; for
// longer where it shows again as soon as that is over.
class Busy {
    std::atomic<Clock::rep> until{0}, length{0};

public:
    bool at(Clock::time_point now) const { return now.time_since_epoch().count() < until; }

    void notice(Clock::time_point now) {
        if (at(now)) return;
        const Clock::rep here = now.time_since_epoch().count(), before = length;
        length = here - until < before ? std::min(2 * before, MOST_BUSY.count()) : LEAST_BUSY.count();
        until = here + length;
    }
} busy;

// Whether it comes true within a short while, or at once where the machine is busy.
template <class Condition>
bool soon(Condition condition) {
    if (condition()) return true;
    auto now = Clock::now();
    bool found = false;
    for (const auto end = now + SHORT_WHILE; !found && now < end && !busy.at(now);) {
        for (int k = 0; k < 32 && !found; ++k) {
            pause();
            found = condition();
        }
        const auto before = now;
        now = Clock::now();
        if (now - before > INTERRUPTION)
            busy.notice(now);
    }
    return found;
}

// Where one thread waits for what others bring about, first awake and then asleep.
class Bell {
    std::atomic<bool> sleeping{false};
    std::mutex door;
    std::condition_variable sound;

public:
    bool someone_sleeps() const { return sleeping; }

    // To be called after whatever makes the condition true.
    void ring() {
        if (!sleeping) return;
        { const std::lock_guard<std::mutex> lock(door); }  // who goes to sleep looks once more behind this door
        sound.notify_one();
    }
    template <class Condition>
    void wait_for(Condition condition) {
        if (soon(condition)) return;
        std::unique_lock<std::mutex> lock(door);
        sleeping = true;
        sound.wait(lock, condition);
        sleeping = false;
    }
};

struct Worker {
    std::atomic<unsigned> calls{0};
    Bell bell;
};

class Pool {
    std::atomic<bool> taken{false}, failed{false};
    std::atomic<Pieces*> current{nullptr};
    std::atomic<int> inside{0};  // so many workers may be looking at the current pieces
    Bell all_left;
    std::vector<Worker*> workers;

    void serve(int member, Worker& me) {
        const SubnormalsAsZero as_the_caller;
        for (unsigned heard = 0;;) {
            me.bell.wait_for([&] { return me.calls != heard; });
            heard = me.calls;
            ++inside;
            take_part(current, member);
            if (--inside == 0) all_left.ring();
        }
    }

    void take_part(Pieces* pieces, int member) {
        if (!pieces || member >= pieces->team || !pieces->any_left()) return;  // come too late
        try {
            pieces->work(member);
        } catch (...) {
            failed = true;
        }
    }

    // Takes on as many workers as a team needs; fewer where the system gives no more threads.
    void take_on(int team) {
        while (int(workers.size()) < team - 1) {
            const int member = int(workers.size()) + 1;
            workers.reserve(member);
            auto* worker = new Worker;
            try {
                std::thread([=] { serve(member, *worker); }).detach();
            } catch (const std::system_error&) {
                delete worker;
                return;
            }
            workers.push_back(worker);
        }
    }

    void call(const Pieces& pieces) {
        const bool wakes = pieces.cost >= (busy.at(Clock::now()) ? WORTH_WAKING_WHERE_BUSY : WORTH_WAKING);
        for (int k = 0; k < std::min(pieces.team - 1, int(workers.size())); ++k) {
            if (!wakes && workers[k]->bell.someone_sleeps()) continue;
            ++workers[k]->calls;
            workers[k]->bell.ring();
        }
    }

    // Whether no worker failed.
    bool finish() {
        current = nullptr;
        all_left.wait_for([&] { return inside == 0; });
        const bool well = !failed;
        taken = false;
        return well;
    }

public:
    // False if the workers are at work for another caller.
    bool share(Pieces& pieces) {
        if (taken.exchange(true)) return false;
        failed = false;
        try {
            take_on(pieces.team);
            current = &pieces;
            call(pieces);
            pieces.work(0);
        } catch (...) {
            finish();
            throw;
        }
        if (!finish()) throw std::bad_alloc();
        return true;
    }
};

}  // namespace

int most_threads() {
    return std::min(omp_get_max_threads(), omp_get_thread_limit());
}

void together(Pieces& pieces) {
    if (pieces.team == 1) return pieces.work(0);
    static Pool& pool = *new Pool;  // never destroyed: its threads wait in it until the process ends
    if (!pool.share(pieces)) pieces.work(0);
}

#endif
