#pragma once

#include <map>
#include <unordered_map>

#include "apps/assetronics/lib/devices/store.hpp"

namespace assetronics::devices {

/// Knows every device of every tenant. A report costs one look-up; lights, broadcasts and storage
/// are done for all at once, by the clock.
class Collector : public bennu::Server {
  public:
    explicit Collector(Repo repo) : repo_(std::move(repo)) {}

    /// A device that is known and unchanged comes online; what is new of another one is to be
    /// stored first (`Learn`). Who comes has shown its token.
    struct Arrive {
        using Reply = Result<std::optional<Device>>;
        std::string tenant;
        Announcement announcement;
        bennu::Pid connection;
    };
    struct Learn {
        using Reply = Device;
        DeviceRow row;
        std::string topic;
        bennu::Pid connection;
    };
    /// Whether so many more devices may be kept.
    struct Room {
        using Reply = Result<>;
        std::string tenant;
        std::vector<std::string> macs;
    };
    /// Devices whose tokens changed: who came with the one of before has to come again.
    struct Renewed {
        std::vector<DeviceRow> rows;
    };
    struct Report {
        std::string tenant;
        Id id;
        bennu::Pid connection;
        Metrics metrics;
    };
    struct List {
        using Reply = std::vector<Device>;
        std::string tenant;
    };
    struct Get {
        using Reply = Result<Device>;
        std::string tenant;
        Id id;
    };
    struct Count {
        using Reply = LightCounts;
        std::string tenant;
    };
    struct Act {
        using Reply = Result<>;
        std::string tenant;
        Id id;
        DeviceAction action = DeviceAction::blink;
    };
    struct Look {};  ///< once a second
    struct Save {};  ///< every `save_interval`
    struct Saved {};

    Task<Result<>> init();
    Result<std::optional<Device>> handle(Arrive message);
    Device handle(Learn message);
    Result<> handle(Room message);
    void handle(Renewed message);
    void handle(Report message);
    std::vector<Device> handle(List message);
    Result<Device> handle(Get message);
    LightCounts handle(Count message);
    Result<> handle(Act message);
    void handle(Look);
    void handle(Save);
    void handle(Saved) { saving_ = false; }
    void handle(bennu::Down down);

    static constexpr std::string_view name = "devices";
    static constexpr std::size_t most_devices = 10'000;  ///< of a tenant: one message tells of all
    static constexpr bennu::MailboxOptions mailbox{.limit = 200'000};

  private:
    struct Known {
        Device device;
        std::string topic;
        bennu::Pid connection;
        bennu::MonitorId monitor;
        bennu::Instant heard{};
        bool changed = false;  ///< since the last look
        bool unsaved = false;  ///< heard of since the last save
    };
    struct Tenant {
        std::map<std::string, Known> by_mac;
        std::unordered_map<Id, Known*> by_id;  // map nodes stay where they are
    };
    Known* find(const std::string& tenant, Id id);
    Known& put(const DeviceRow& row);
    void connect(Known& known, bennu::Pid connection);
    void refresh_light(Known& known, bennu::Instant at);
    void tell_changes(const std::string& slug, Tenant& tenant, bennu::Instant at);

    Repo repo_;
    std::map<std::string, Tenant, std::less<>> tenants_;
    std::unordered_map<bennu::Pid, Known*> connections_;
    bool saving_ = false;
};

/// The process.
inline bennu::Ref<Collector> collector() {
    return bennu::whereis<Collector>(std::string(Collector::name));
}

}  // namespace assetronics::devices
