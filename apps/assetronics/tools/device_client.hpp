#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bennu/base/json.hpp"
#include "bennu/net/websocket.hpp"
#include "bennu/runtime/process.hpp"

/// A device's side of the socket: connects, joins its topic, reports, obeys, and comes back by
/// itself.
namespace assetronics::device {

struct Metrics {
    double cpu = 0;
    double memory = 0;
    double temperature = 0;
    double battery = 0;
    double signal = 0;
};

/// What a device does in one second.
struct Moment {
    enum class Kind : std::uint8_t { report, silent, drop_out };
    Kind kind = Kind::report;
    Metrics metrics = {};       ///< for `report`
    bennu::Duration away = {};  ///< for `drop_out`: the connection is lost for so long
};

/// What is behind the client: sensors and actuators. Called in the client's process.
class Hardware {
  public:
    virtual ~Hardware() = default;
    /// Once a second while joined.
    virtual Moment next() = 0;
    /// `blink`, `reboot` or something that this client does not know yet.
    virtual void act(std::string_view action) = 0;
};

struct Identity {
    std::string tenant = "demo";
    std::string mac;
    std::string name;
    std::string firmware;
    bool simulated = false;
    std::string token = {};  ///< what the server issued for this device

    std::string topic() const { return "device:" + tenant + ":" + mac; }
};

struct ClientOptions {
    bennu::SocketAddress address;
    std::string host;  ///< the Host header
    std::string path = "/socket/websocket?vsn=2.0.0";
    bennu::Duration report_interval = std::chrono::seconds(1);
    bennu::Duration heartbeat_interval = std::chrono::seconds(30);
    bennu::Duration join_timeout = std::chrono::seconds(10);
};

/// Counted by all clients of a shard together.
struct Counters {
    std::int64_t connected = 0;  ///< now
    std::int64_t joined = 0;     ///< now
    std::int64_t sent = 0;
    std::int64_t replies = 0;
    std::int64_t errors = 0;  ///< error replies, refused joins, lost connections
    std::int64_t actions = 0;
    std::string last_error;
};

/// The process of one device. Reconnects after 1, 5, then 10 s; rejoins after 1, 3, 5, then 10 s.
class DeviceClient : public bennu::Server {
  public:
    DeviceClient(ClientOptions options, Identity identity, std::unique_ptr<Hardware> hardware,
                 std::shared_ptr<Counters> counters);
    ~DeviceClient();

    struct Connect {};
    struct Opened {
        std::uint64_t attempt;
    };
    struct Received {
        std::uint64_t attempt;
        std::string text;
    };
    struct Closed {
        std::uint64_t attempt;
        std::string why;
    };
    /// Timers belong to one connection: those of an older one mean nothing.
    struct Join {
        std::uint64_t attempt;
    };
    struct JoinOverdue {
        std::uint64_t attempt;
        std::string join_ref;
    };
    struct Beat {
        std::uint64_t attempt;
    };
    struct Report {
        std::uint64_t attempt;
        std::string join_ref;
    };

    bennu::Task<bennu::Result<>> init();
    bennu::Task<> terminate(bennu::ExitReason reason);
    void handle(Connect);
    void handle(Opened message);
    void handle(Received message);
    void handle(Closed message);
    void handle(Join message);
    void handle(JoinOverdue message);
    void handle(Beat message);
    void handle(Report message);
    void handle(bennu::Down down);

  private:
    bool current(std::uint64_t attempt) const { return attempt == attempt_ && open_; }
    bennu::Ref<DeviceClient> me() const { return bennu::Ref<DeviceClient>(bennu::self()); }
    void send(const bennu::Json& join_ref, std::string_view topic, std::string_view event,
              std::string_view payload);
    void answered(const std::string& ref, const bennu::Json& payload);
    void joined();
    void rejoin_later(std::string why);
    void obey(const bennu::Json& payload);
    void left();
    void lost(std::string why);
    void disconnect(bennu::Duration away);
    void failed(std::string why);

    ClientOptions options_;
    Identity identity_;
    std::string topic_;
    std::unique_ptr<Hardware> hardware_;
    std::shared_ptr<Counters> counters_;

    bennu::Ref<bennu::net::WebSocketConnection> socket_;
    std::uint64_t attempt_ = 0;  ///< numbers the connections
    std::uint64_t refs_ = 0;
    bool open_ = false;
    bool joined_ = false;
    std::string join_ref_;
    std::string heartbeat_ref_;  ///< of one that is not answered yet
    unsigned connect_failures_ = 0;
    unsigned join_failures_ = 0;
};

}  // namespace assetronics::device
