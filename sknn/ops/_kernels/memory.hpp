// Memory of large arrays that comes again: what an array leaves is kept for a later one of nearly its size, so that the
// steps of a fit after the first few touch no page for the first time.
//
// NumPy calls with the interpreter held, so one thread is here at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <list>
#include <map>

#ifdef __linux__
#include <sys/mman.h>
#endif

class Memory {
  public:
    ~Memory() { close(); }

    static constexpr std::size_t LARGE = 1 << 15;  // bytes; the C library is quick to find less than that

    // A block for so many bytes; zeroed if wanted. A null pointer where there is no memory.
    void* allocate(std::size_t size, bool zeroed) {
        if (size < LARGE) return placed(found(size + SMALL_HEAD, zeroed), size, SMALL_HEAD);
        if (void* block = again(size)) return zeroed ? std::memset(block, 0, size) : block;
        shrink_to(most_ > size ? most_ - size : 0);
        void* block = fresh(size, zeroed);
        if (block) use(head(block).size);
        return block;
    }

    void release(void* block) {
        if (!block) return;
        const std::size_t size = head(block).size;
        if (size < LARGE) return std::free(head(block).base);
        in_use_ -= size;
        if (closed_) return std::free(head(block).base);
        by_age_.push_back({size, block});
        by_size_.emplace(size, std::prev(by_age_.end()));
        kept_ += size;
    }

    void* resize(void* block, std::size_t size) {
        void* other = allocate(size, false);
        if (!other || !block) return other;
        std::memcpy(other, block, std::min(size, head(block).size));
        release(block);
        return other;
    }

    // From now on nothing is kept; arrays that live go on living.
    void close() {
        closed_ = true;
        shrink_to(0);
    }

  private:
    // Stands right before what an array gets.
    struct Head {
        void* base;
        std::size_t size;
    };
    struct Kept {
        std::size_t size;
        void* block;
    };
    using Ages = std::list<Kept>;

    static constexpr std::size_t LINE = 64, SMALL_HEAD = sizeof(Head), LARGE_HEAD = SMALL_HEAD + LINE;

    static Head& head(void* block) { return static_cast<Head*>(block)[-1]; }

    static void* found(std::size_t size, bool zeroed) { return zeroed ? std::calloc(1, size) : std::malloc(size); }

    static void* placed(void* base, std::size_t size, std::size_t offset) {
        if (!base) return nullptr;
        void* block = static_cast<char*>(base) + offset;
        head(block) = {base, size};
        return block;
    }

    // Begins at a line of the cache, and takes large pages as NumPy's own arrays do.
    static void* fresh(std::size_t size, bool zeroed) {
        void* base = found(size + LARGE_HEAD, zeroed);
        const auto start = reinterpret_cast<std::uintptr_t>(base);
#ifdef __linux__
        constexpr std::size_t PAGE = 4096, WORTH_LARGE_PAGES = 1 << 22;
        if (base && size >= WORTH_LARGE_PAGES) {
            const std::size_t skipped = PAGE - start % PAGE;
            madvise(static_cast<char*>(base) + skipped, size - skipped, MADV_HUGEPAGE);
        }
#endif
        return placed(base, size, (start + SMALL_HEAD + LINE - 1) / LINE * LINE - start);
    }

    // The smallest kept block that is large enough, unless it is much too large.
    void* again(std::size_t size) {
        const auto place = by_size_.lower_bound(size);
        if (place == by_size_.end() || place->first > size + size / 4) return nullptr;
        void* block = place->second->block;
        forget(place);
        use(head(block).size);
        return block;
    }

    void use(std::size_t size) {
        in_use_ += size;
        most_ = std::max(most_, in_use_);
    }

    void forget(std::multimap<std::size_t, Ages::iterator>::iterator place) {
        kept_ -= place->first;
        by_age_.erase(place->second);
        by_size_.erase(place);
    }

    // Gives back what was kept for longest, until all that is held is at most this.
    void shrink_to(std::size_t held) {
        while (!by_age_.empty() && in_use_ + kept_ > held) {
            const Kept oldest = by_age_.front();
            auto place = by_size_.lower_bound(oldest.size);
            while (place->second != by_age_.begin()) ++place;
            forget(place);
            std::free(head(oldest.block).base);
        }
    }

    Ages by_age_;
    std::multimap<std::size_t, Ages::iterator> by_size_;
    std::size_t in_use_ = 0, kept_ = 0, most_ = 0;  // bytes; both together are never more than were in use at once
    bool closed_ = false;
};
