#include "apps/assetronics/tools/device_client.hpp"

#include <array>

namespace assetronics::device {

using namespace bennu;
using net::WebSocketConnection;

namespace {

using namespace std::chrono_literals;

Duration step(std::span<const Duration> steps, unsigned failures) {
    return steps[std::min<std::size_t>(failures, steps.size() - 1)];
}
constexpr Duration reconnect_steps[] = {1s, 5s, 10s};
constexpr Duration rejoin_steps[] = {1s, 3s, 5s, 10s};
constexpr Duration reboot_time = 3s;

/// Hands what a connection says to the device's process.
class Forwarder final : public net::WebSocketHandler {
  public:
    Forwarder(Ref<DeviceClient> client, std::uint64_t attempt)
        : client_(client), attempt_(attempt) {}
    void on_open(WebSocketConnection&) override { cast(client_, DeviceClient::Opened{attempt_}); }
    void on_text(WebSocketConnection&, std::string_view text) override {
        cast(client_, DeviceClient::Received{attempt_, std::string(text)});
    }
    void on_binary(WebSocketConnection&, std::string_view) override {}
    void on_close(WebSocketConnection&, std::uint16_t code, std::string_view reason) override {
        std::string why = "closed with " + std::to_string(code);
        if (!reason.empty()) why += ": " + std::string(reason);
        cast(client_, DeviceClient::Closed{attempt_, std::move(why)});
    }

  private:
    Ref<DeviceClient> client_;
    std::uint64_t attempt_;
};

void append_number(std::string& out, std::string_view name, double value) {
    out += out.size() > 1 ? ",\"" : "\"";
    out += name;
    out += "\":";
    append_json_double(out, value);
}

std::string metrics_text(const Metrics& metrics) {
    std::string out = "{";
    append_number(out, "cpu", metrics.cpu);
    append_number(out, "memory", metrics.memory);
    append_number(out, "temperature", metrics.temperature);
    append_number(out, "battery", metrics.battery);
    append_number(out, "signal", metrics.signal);
    return out += '}';
}

}  // namespace

DeviceClient::DeviceClient(ClientOptions options, Identity identity,
                           std::unique_ptr<Hardware> hardware, std::shared_ptr<Counters> counters)
    : options_(std::move(options)),
      identity_(std::move(identity)),
      topic_(identity_.topic()),
      hardware_(std::move(hardware)),
      counters_(std::move(counters)) {}

DeviceClient::~DeviceClient() {
    left();
}

Task<Result<>> DeviceClient::init() {
    cast(me(), Connect{});
    co_return Result<>();
}

Task<> DeviceClient::terminate(ExitReason) {
    if (socket_) cast(socket_, WebSocketConnection::CloseWith{1000, {}});
    co_return;
}

void DeviceClient::handle(Connect) {
    ++attempt_;
    open_ = false;
    socket_ = net::connect_websocket(
        {.address = options_.address, .host = options_.host, .path = options_.path},
        std::make_unique<Forwarder>(me(), attempt_));
    monitor(socket_.pid());
}

void DeviceClient::handle(Opened message) {
    if (message.attempt != attempt_) return;
    open_ = true;
    ++counters_->connected;
    heartbeat_ref_.clear();
    join_failures_ = 0;
    handle(Join{attempt_});
    send_after(me(), Beat{attempt_}, options_.heartbeat_interval);
}

void DeviceClient::handle(Closed message) {
    if (message.attempt == attempt_) lost(std::move(message.why));
}

void DeviceClient::handle(Down down) {
    // The handler says why, before; a connection that was killed says nothing.
    if (down.pid == socket_.pid()) lost("lost");
}

void DeviceClient::lost(std::string why) {
    failed(std::move(why));
    left();
    socket_ = {};
    ++attempt_;
    // Devices that lost the same server do not come back in the same instant.
    const Duration pause = step(reconnect_steps, connect_failures_++);
    send_after(me(), Connect{}, pause + std::chrono::milliseconds(bennu::random().below(500)));
}

void DeviceClient::left() {
    if (std::exchange(joined_, false)) --counters_->joined;
    if (std::exchange(open_, false)) --counters_->connected;
}

/// On purpose, for a while.
void DeviceClient::disconnect(Duration away) {
    cast(socket_, WebSocketConnection::CloseWith{1000, {}});
    left();
    socket_ = {};
    ++attempt_;
    send_after(me(), Connect{}, away);
}

void DeviceClient::send(const Json& join_ref, std::string_view topic, std::string_view event,
                        std::string_view payload) {
    std::string frame = "[";
    write_json(frame, join_ref);
    frame += ",\"" + std::to_string(++refs_) + "\",";
    append_json_string(frame, topic);
    frame += ',';
    append_json_string(frame, event);
    frame += ',';
    frame += payload;
    frame += ']';
    if (auto* socket = local_body(socket_)) socket->send_text(frame);
    ++counters_->sent;
}

void DeviceClient::handle(Join message) {
    if (!current(message.attempt) || joined_) return;
    join_ref_ = std::to_string(refs_ + 1);
    send(join_ref_, topic_, "phx_join",
         to_json(Json::object({{"token", identity_.token},
                               {"name", identity_.name},
                               {"firmware", identity_.firmware},
                               {"simulated", identity_.simulated}})));
    send_after(me(), JoinOverdue{attempt_, join_ref_}, options_.join_timeout);
}

void DeviceClient::handle(JoinOverdue message) {
    if (current(message.attempt) && !joined_ && message.join_ref == join_ref_)
        rejoin_later("the join was not answered");
}

void DeviceClient::rejoin_later(std::string why) {
    failed(std::move(why));
    if (std::exchange(joined_, false)) --counters_->joined;
    join_ref_.clear();
    send_after(me(), Join{attempt_}, step(rejoin_steps, join_failures_++));
}

void DeviceClient::joined() {
    joined_ = true;
    join_failures_ = connect_failures_ = 0;
    ++counters_->joined;
    const auto interval = static_cast<std::uint64_t>(options_.report_interval.count());
    send_after(me(), Report{attempt_, join_ref_}, Duration(bennu::random().below(interval)));
}

void DeviceClient::handle(Received message) {
    if (!current(message.attempt)) return;
    const Result<Json> frame = parse_json(message.text);
    if (!frame || frame->size() != 5) return failed("an unreadable frame");
    const Json& join_ref = (*frame)[0];
    const std::string event = (*frame)[3].get<std::string>().value_or("");
    const Json& payload = (*frame)[4];
    if (event == "phx_reply") {
        answered((*frame)[1].get<std::string>().value_or(""), payload);
    } else if ((*frame)[2] != Json(topic_) ||
               (!join_ref.is_null() && join_ref != Json(join_ref_))) {
        return;  // of an earlier join
    } else if (event == "ping") {
        send(join_ref_, topic_, "pong", "{}");
    } else if (event == "action") {
        obey(payload);
    } else if (event == "phx_error" || event == "phx_close") {
        rejoin_later(event);
    }
}

void DeviceClient::answered(const std::string& ref, const Json& payload) {
    const bool ok = payload["status"] == Json("ok");
    if (ref == heartbeat_ref_) {
        heartbeat_ref_.clear();
    } else if (ref == join_ref_ && !joined_) {
        if (!ok) return rejoin_later("the join was refused: " + to_json(payload["response"]));
        joined();
    } else if (!ok) {
        failed("the server refused a message: " + to_json(payload["response"]));
    }
    ++counters_->replies;
}

void DeviceClient::obey(const Json& payload) {
    const std::string action = payload.get<std::string>("action").value_or("");
    ++counters_->actions;
    hardware_->act(action);
    if (action == "reboot") disconnect(reboot_time);
}

void DeviceClient::handle(Beat message) {
    if (!current(message.attempt)) return;
    if (!heartbeat_ref_.empty()) {
        cast(socket_, WebSocketConnection::CloseWith{1000, {}});
        return lost("the server does not answer");
    }
    heartbeat_ref_ = std::to_string(refs_ + 1);
    send(nullptr, "phoenix", "heartbeat", "{}");
    send_after(me(), Beat{attempt_}, options_.heartbeat_interval);
}

void DeviceClient::handle(Report message) {
    if (!current(message.attempt) || !joined_ || message.join_ref != join_ref_) return;
    const Moment moment = hardware_->next();
    if (moment.kind == Moment::Kind::drop_out) return disconnect(moment.away);
    if (moment.kind == Moment::Kind::report)
        send(join_ref_, topic_, "metrics", metrics_text(moment.metrics));
    send_after(me(), std::move(message), options_.report_interval);
}

void DeviceClient::failed(std::string why) {
    ++counters_->errors;
    counters_->last_error = std::move(why);
}

}  // namespace assetronics::device
