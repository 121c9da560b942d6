#pragma once

#include "bennu/net/client/step.hpp"

namespace bennu::net {

/// Which requests may be sent again: what a repetition cannot harm.
enum class Repeatable : std::uint8_t {
    safe,        ///< GET, HEAD, OPTIONS, TRACE
    idempotent,  ///< also PUT and DELETE
    all,         ///< whatever it is: the server tells repetitions apart
};

struct RetryOptions {
    int attempts = 4;  ///< with the first one
    Repeatable repeatable = Repeatable::safe;
    /// Before the second attempt; doubled for each further one. Half of it, and a random part of
    /// the other half, is waited.
    Duration base = std::chrono::milliseconds(200);
    Duration longest = std::chrono::seconds(10);
    /// `Retry-After` (seconds or a date) is honoured; one that asks for longer ends the attempts.
    Duration longest_retry_after = std::chrono::seconds(60);
    /// Of all requests through this step, at most so large a part is added by retries, beyond the
    /// first few: a server in trouble is not given more to do by all its clients at once.
    double budget = 0.1;
    double burst = 10;
};

/// Sends again after errors that pass (`timeout` of an attempt, `unavailable`, `closed`,
/// `overloaded`, but for an open circuit) and after 408, 429, 500, 502, 503 and 504. Never waits
/// beyond the call's deadline: it returns what came last instead. An upload that was begun and
/// cannot begin again ends the attempts; so does the head of a streamed answer, whatever becomes of
/// its body. Event: `net.client.retry`.
StepPtr retry(RetryOptions options = {});

}  // namespace bennu::net
