#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apps/assetronics/lib/ops/messages.hpp"
#include "bennu/base/record.hpp"
#include "bennu/pubsub/payload.hpp"
#include "bennu/runtime/supervisor.hpp"

/// Operations: what the supervision tree looks like, live, and drills on it. One process looks at
/// the tree while somebody watches, and tells all viewers on `topic`.
namespace assetronics::ops {

using bennu::Result;
using bennu::Task;

inline constexpr std::string_view topic = "ops:processes";
/// How often viewers are told, and every supervised process is asked for a sign of life.
inline constexpr bennu::Duration tick = std::chrono::milliseconds(250);

/// Who may look and act. There are no accounts: a node in development lets everybody, any other
/// only whoever knows its token.
struct Access {
    bool development = false;
    bennu::Secret token = {};
};
/// Errors: `forbidden` with code `ops_disabled` (no token is configured), `token_required`,
/// `token_wrong`. A configured token is asked for in development too.
Result<> admit(const Access& access, std::string_view token);

/// A change in the tree that is made on purpose.
enum class Action : std::uint8_t { crash, hang, kill };
BENNU_ENUM(Action, crash, hang, kill)
struct Operation {
    Action action = Action::crash;
    std::string pid;   ///< as the rows tell it
    int seconds = 10;  ///< of a hang, 1 to 30
    std::string by;    ///< for the log
};

/// The running process is a viewer from now on, until it ends. What there is to see so far; each
/// later message on `topic` (`changes`) has the next `seq`.
Task<Result<bennu::Payload>> watch();
/// The same again, for a viewer that lost count.
Task<Result<bennu::Payload>> everything();
/// The process that tells the viewers: when it ends, watch again.
bennu::Pid watched();

/// Errors: `not_found` (`gone`), `conflict` (`not_supervised`, `guarded`: its end would be the
/// node's), `invalid`, `overloaded` (`too_soon`).
Task<Result<>> operate(Operation operation);

/// A subtree of idle hands to crash at will. Errors `conflict` when it is (not) there already.
Task<Result<>> start_practice();
Task<Result<>> stop_practice();

/// The supervisor of all of this.
bennu::ChildSpec child_ops();

}  // namespace assetronics::ops
