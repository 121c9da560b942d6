#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace bench {

/// What a server's frame means to the load.
enum class Meaning {
    joined,    ///< the socket is now where broadcasts go
    delivery,  ///< of a published message
    echo,      ///< the answer to an echo
    reply,     ///< to be answered with `Dialect::reply`
    other,
};

/// The words of one kind of server, as the text of WebSocket messages.
class Dialect {
  public:
    virtual ~Dialect() = default;
    virtual std::string target() const = 0;
    /// Sent once the WebSocket is open; empty: an open socket is a joined one.
    virtual std::string greeting() const { return {}; }
    virtual std::string publish() const = 0;
    virtual std::string echo() const = 0;
    virtual Meaning meaning(std::string_view message) const = 0;
    /// What answers a message that wants an answer (a ping, a step of joining).
    virtual std::string reply(std::string_view) const { return {}; }
};

enum class Mode { broadcast, idle, echo, crowd, storm, churn, presence, late_join };

struct DialectOptions {
    std::string name;   ///< phoenix, raw or socketio
    std::string topic;  ///< that all sockets join
    Mode mode = Mode::broadcast;
    std::size_t payload = 100;  ///< bytes of the JSON object that is published or echoed
};
/// Throws std::invalid_argument for an unknown name.
std::unique_ptr<Dialect> make_dialect(const DialectOptions& options);

}  // namespace bench
