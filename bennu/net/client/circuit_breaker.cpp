#include "bennu/net/client/circuit_breaker.hpp"

#include <deque>
#include <mutex>
#include <unordered_map>

#include "bennu/base/events.hpp"
#include "bennu/net/client/client_url.hpp"
#include "bennu/runtime/context.hpp"

namespace bennu::net {

namespace {

constinit EventName circuit_changed{"net.client.circuit"};
constexpr std::size_t most_origins = 10'000;

enum class CircuitState : std::uint8_t { closed, open, half_open };

std::string_view to_string(CircuitState state) {
    return state == CircuitState::closed ? "closed"
           : state == CircuitState::open ? "open"
                                         : "half_open";
}

struct Circuit {
    CircuitState state = CircuitState::closed;
    std::deque<bool> failed;  ///< the last outcomes
    std::size_t failures = 0;
    Instant opened;
    bool trying = false;  ///< a trial is under way
    int succeeded = 0;    ///< trials in a row
};

/// The circuits of one step. Any shard.
class Circuits {
  public:
    explicit Circuits(CircuitOptions options) : options_(options) {}

    enum class Pass : std::uint8_t { refused, counted, trial };
    Pass enter(const std::string& origin) {
        std::optional<CircuitState> changed;
        Pass pass = Pass::counted;
        {
            std::lock_guard lock(mutex_);
            if (circuits_.size() >= most_origins && !circuits_.contains(origin))
                std::erase_if(circuits_, [](const auto& each) {
                    return each.second.state == CircuitState::closed;
                });
            Circuit& circuit = circuits_[origin];
            if (circuit.state == CircuitState::open && now() - circuit.opened >= options_.rest) {
                circuit.state = CircuitState::half_open;
                circuit.succeeded = 0;
                changed = circuit.state;
            }
            if (circuit.state == CircuitState::open) return Pass::refused;
            if (circuit.state == CircuitState::half_open) {
                if (circuit.trying) return Pass::refused;
                circuit.trying = true;
                pass = Pass::trial;
            }
        }
        if (changed) announce(origin, *changed);
        return pass;
    }

    void outcome(const std::string& origin, Pass pass, bool failed) {
        std::optional<CircuitState> changed;
        {
            std::lock_guard lock(mutex_);
            Circuit& circuit = circuits_[origin];
            if (pass == Pass::trial) {
                circuit.trying = false;
                if (failed) {
                    changed = open(circuit);
                } else if (++circuit.succeeded >= options_.trials) {
                    circuit = Circuit();
                    changed = circuit.state;
                }
            } else if (circuit.state == CircuitState::closed) {
                changed = count(circuit, failed);
            }
        }
        if (changed) announce(origin, *changed);
    }
    /// A trial that was called off says nothing; the next request is the trial.
    void called_off(const std::string& origin) {
        std::lock_guard lock(mutex_);
        circuits_[origin].trying = false;
    }
    const CircuitOptions& options() const { return options_; }

  private:
    CircuitState open(Circuit& circuit) {
        circuit = Circuit{.state = CircuitState::open, .opened = now()};
        return circuit.state;
    }
    std::optional<CircuitState> count(Circuit& circuit, bool failed) {
        circuit.failed.push_back(failed);
        if (failed) ++circuit.failures;
        if (circuit.failed.size() > options_.window) {
            if (circuit.failed.front()) --circuit.failures;
            circuit.failed.pop_front();
        }
        const std::size_t seen = circuit.failed.size();
        if (seen < options_.at_least ||
            static_cast<double>(circuit.failures) < options_.failures * static_cast<double>(seen))
            return {};
        return open(circuit);
    }
    static void announce(const std::string& origin, CircuitState state) {
        emit(circuit_changed, {}, {{"origin", origin}, {"state", to_string(state)}});
    }

    CircuitOptions options_;
    std::mutex mutex_;
    std::unordered_map<std::string, Circuit> circuits_;
};

/// Stands in the frame of a request that was let through.
class Passage {
  public:
    Passage(Circuits& circuits, std::string origin, Circuits::Pass pass)
        : circuits_(circuits), origin_(std::move(origin)), pass_(pass) {}
    Passage(const Passage&) = delete;
    Passage& operator=(const Passage&) = delete;
    ~Passage() {
        if (pass_ == Circuits::Pass::trial) circuits_.called_off(origin_);
    }
    void ended(bool failed) {
        circuits_.outcome(origin_, std::exchange(pass_, Circuits::Pass::refused), failed);
    }

  private:
    Circuits& circuits_;
    std::string origin_;
    Circuits::Pass pass_;
};

class CircuitBreaker : public Step {
  public:
    explicit CircuitBreaker(CircuitOptions options)
        : circuits_(std::make_shared<Circuits>(options)) {}

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        ClientUrl url = co_await require(parse_client_url(request.url));
        const std::string origin = url.origin();
        std::shared_ptr<Circuits> circuits = circuits_;
        const Circuits::Pass pass = circuits->enter(origin);
        if (pass == Circuits::Pass::refused)
            co_return Error(ErrorKind::unavailable, "circuit_open",
                            origin + " failed too often; it is left alone for a while");
        Passage passage(*circuits, origin, pass);
        const Instant begun = now();
        Result<ClientResponse> answer = co_await next(std::move(request));
        // What is the caller's own fault says nothing about the server.
        const bool failed = answer ? answer->status >= 500
                                   : answer.error().kind() != ErrorKind::invalid &&
                                         answer.error().kind() != ErrorKind::forbidden;
        passage.ended(failed || now() - begun > circuits->options().slow);
        if (answer) {
            // A stream that breaks later counts as one more that failed.
            answer->stream.at_end([circuits, origin](const BodyEnd& end) {
                if (end.error && end.error->kind() != ErrorKind::too_large)
                    circuits->outcome(origin, Circuits::Pass::counted, true);
            });
        }
        co_return answer;
    }

  private:
    std::shared_ptr<Circuits> circuits_;
};

}  // namespace

StepPtr circuit_breaker(CircuitOptions options) {
    return std::make_shared<CircuitBreaker>(options);
}

}  // namespace bennu::net
