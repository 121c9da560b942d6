#pragma once

#include <deque>

#include "bennu/runtime/pipe_end.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/race.hpp"
#include "bennu/runtime/stream.hpp"

namespace bennu {

struct PipeOptions {
    /// How many items may be on their way or waiting to be read: the memory that a slow reader
    /// costs.
    std::uint32_t demand = 64;
};

namespace detail {

template <typename T>
class Inlet final : public InletBase {
  public:
    explicit Inlet(std::uint32_t items) : InletBase(items) {}
    void receive(std::vector<T>& batch) {
        for (T& item : batch) items_.push_back(std::move(item));
        news.notify();
    }
    void receive(T item) {
        items_.push_back(std::move(item));
        news.notify();
    }
    bool empty() const { return items_.empty(); }
    T take() {
        T item = std::move(items_.front());
        items_.pop_front();
        taken();
        return item;
    }

  private:
    std::deque<T> items_;
};

template <typename T>
class Outlet final : public OutletBase {
  public:
    Outlet(PipeAddress to, std::uint32_t items) : OutletBase(to, items) {}
    ~Outlet() { finish(gone("producer")); }

    void push(T item) {
        if (closed()) return;
        --credit;
        if (local()) {
            if (auto* inlet = find_end<Inlet<T>>(consumer.id)) inlet->receive(std::move(item));
            return;
        }
        unsent_.push_back(std::move(item));
        if (unsent_.size() > 1) return;
        at_turn_end([id = address.id] {
            if (auto* outlet = find_end<Outlet>(id)) outlet->flush();
        });
    }
    /// No more items; `failure` says why, unless all is well.
    void finish(std::optional<Error> failure) {
        flush();
        end(std::move(failure));
    }

  private:
    void flush() {
        if (unsent_.empty()) return;
        post(consumer.shard, [id = consumer.id, batch = std::exchange(unsent_, {})]() mutable {
            if (auto* inlet = find_end<Inlet<T>>(id)) inlet->receive(batch);
        });
    }
    std::vector<T> unsent_;
};

template <typename T>
Stream<T> read_pipe(std::unique_ptr<Inlet<T>> inlet) {
    while (true) {
        while (!inlet->empty()) co_yield inlet->take();
        if (inlet->over) break;
        co_await inlet->news.wait();
    }
    if (inlet->failure) co_yield end_with(*inlet->failure);
}

}  // namespace detail

/// The writing end of a pipe. Moves freely, also to another shard, until its first use; from then
/// on it belongs to the process that used it. Destroying it without `close` (as a crash does) ends
/// the reader's stream with the error `producer_gone`.
template <typename T>
class Sink {
  public:
    class [[nodiscard]] Send : detail::Answer<detail::Unit> {
      public:
        Send(detail::Outlet<T>& outlet, T item) : outlet_(outlet), item_(std::move(item)) {}
        bool await_ready() const { return outlet_.credit > 0 || outlet_.closed(); }
        void await_suspend(std::coroutine_handle<> coroutine) {
            outlet_.wait_for_demand(this->begin(coroutine, Instant::max()));
        }
        Result<> await_resume() {
            this->release();
            if (outlet_.closed()) return outlet_.why_closed();
            outlet_.push(std::move(item_));
            return {};
        }

      private:
        detail::Outlet<T>& outlet_;
        T item_;
    };

    Sink() = default;
    /// For the runtime; use `pipe`.
    Sink(detail::PipeAddress consumer, std::uint32_t demand)
        : consumer_(consumer), demand_(demand) {}
    Sink(Sink&& other) noexcept
        : consumer_(std::exchange(other.consumer_, {})),
          demand_(other.demand_),
          outlet_(std::move(other.outlet_)) {}
    Sink& operator=(Sink&& other) noexcept {
        Sink old(std::move(*this));
        consumer_ = std::exchange(other.consumer_, {});
        demand_ = other.demand_;
        outlet_ = std::move(other.outlet_);
        return *this;
    }
    ~Sink() {
        if (consumer_ && on_shard()) outlet();
    }

    /// `co_await sink.send(item)` waits until the reader has room. The error `consumer_gone` means
    /// that nobody will read it. One `send` at a time.
    Send send(T item) { return Send(outlet(), std::move(item)); }
    /// As `send`, but when there is no room yields false at once and leaves the item alone.
    Result<bool> try_send(T& item) {
        if (outlet().closed()) return outlet().why_closed();
        if (outlet().credit <= 0) return false;
        outlet().push(std::move(item));
        return true;
    }
    /// How many items the reader has room for.
    std::uint32_t demand() { return static_cast<std::uint32_t>(std::max(outlet().credit, 0)); }
    /// Waits until the reader is gone, and says why: for a producer that is busy elsewhere.
    Task<Error> closed() {
        while (!outlet().closed()) co_await outlet().close_news.wait();
        co_return outlet().why_closed();
    }

    /// The reader's stream ends after what was sent.
    void close() { outlet().finish(std::nullopt); }
    /// The same, with an error for `Stream::failure`.
    void fail(Error error) { outlet().finish(std::move(error)); }

  private:
    detail::Outlet<T>& outlet() {
        if (!outlet_) {
            if (!consumer_) throw std::logic_error("this sink leads nowhere");
            outlet_ = std::make_unique<detail::Outlet<T>>(std::exchange(consumer_, {}), demand_);
        }
        return *outlet_;
    }

    detail::PipeAddress consumer_;  ///< until the first use
    std::uint32_t demand_ = 0;
    std::unique_ptr<detail::Outlet<T>> outlet_;
};

template <typename T>
struct Pipe {
    Sink<T> sink;
    Stream<T> source;
};

/// A stream between two processes, on the same shard or not. At most `demand` items are between
/// them: a reader that falls behind makes the writer wait. Order is kept. The source belongs to the
/// calling process; destroying it tells the writer. When either side ends, the other learns why.
template <typename T>
Pipe<T> pipe(PipeOptions options = {}) {
    auto inlet = std::make_unique<detail::Inlet<T>>(std::max(1U, options.demand));
    Sink<T> sink(inlet->address, inlet->demand);
    return {std::move(sink), detail::read_pipe<T>(std::move(inlet))};
}

namespace detail {

template <typename T>
Task<> forward(Stream<T>& from, Sink<T>& to) {
    while (std::optional<T> item = co_await from.next()) {
        if (!co_await to.send(std::move(*item))) co_return;
    }
    if (auto failure = from.failure()) {
        to.fail(*std::move(failure));
    } else {
        to.close();
    }
}

template <typename T, typename Make>
Task<> produce(Sink<T> sink, Make make) {
    Stream<T> stream = make();
    co_await race(forward(stream, sink), sink.closed());
}

}  // namespace detail

/// Runs the stream that `make` returns in a process of its own, on any shard, and yields its items
/// here: it works ahead of its reader by at most `demand` items. It ends when the reader does; when
/// it crashes, the stream ends with the error `producer_gone`.
template <typename Make, typename T = typename std::invoke_result_t<Make&>::value_type>
[[clang::coro_wrapper]] Stream<T> stream_on(std::uint8_t shard, Make make,
                                            PipeOptions options = {}) {
    Pipe<T> ends = pipe<T>(options);
    post(shard, [sink = std::move(ends.sink), make = std::move(make)]() mutable {
        spawn_task([sink = std::move(sink),
                    make = std::move(make)] [[clang::coro_wrapper]] () mutable -> Task<> {
            return detail::produce<T, Make>(std::move(sink), std::move(make));
        });
    });
    return std::move(ends.source);
}

}  // namespace bennu
