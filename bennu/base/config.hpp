#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/record_json.hpp"

namespace bennu {

struct ConfigOptions {
    /// Environment variables `PREFIX_SECTION__KEY` override `section.key`; "" reads none of them.
    std::string env_prefix = "BENNU";
    /// Further variables with names of their own, as {"PORT", "server.port"}. They win over the
    /// prefixed ones.
    std::vector<std::pair<std::string, std::string>> aliases = {};
    /// For tests: the environment as NAME=value; nullptr is the process's own.
    const std::vector<std::string>* environment = nullptr;
};

/// A section that a program reads, as the record that it is read into.
struct ConfigSection {
    std::string_view name;
    const RecordInfo* record = nullptr;
};
template <Record T>
ConfigSection config_section(std::string_view name) {
    return {name, &record_of<T>()};
}

/// Settings from a TOML file and the environment. Every error says where: `app.toml:12: server.port
/// must be …`, or `environment variable PORT: …`. Immutable once loaded.
class Config {
  public:
    Config();
    /// A missing file is an error of kind `not_found`.
    static Result<Config> load(const std::string& path, const ConfigOptions& options = {});
    static Result<Config> parse(std::string_view toml, std::string_view file_name,
                                const ConfigOptions& options = {});

    bool contains(std::string_view path) const;
    /// By dotted path ("server.port"). `not_found` with code `required` when it is absent.
    Result<std::string> get_string(std::string_view path) const;
    Result<std::int64_t> get_int(std::string_view path) const;
    Result<double> get_double(std::string_view path) const;
    Result<bool> get_bool(std::string_view path) const;
    Result<Duration> get_duration(std::string_view path) const;

    /// A table as a record. Absent keys keep the record's defaults; unknown keys are refused with a
    /// did-you-mean. An absent table gives the defaults.
    template <Record T>
    Result<T> section(std::string_view path) const {
        T record{};
        Result<> read = read_section(path, &record, record_of<T>());
        if (!read) return std::move(read).error();
        return record;
    }
    Result<> read_section(std::string_view path, void* record, const RecordInfo& info) const;

    /// Refuses what no section of the program would read, all of it in one error: settings outside
    /// of these sections, other sections, and keys that a section does not have, each with its line
    /// (or variable) and the nearest name that is known. Variables of the prefix that name no
    /// section (`PREFIX_PORT`) may be somebody else's and pass.
    Result<> check_sections(std::span<const ConfigSection> known) const;
    /// An error about a setting, which says where it comes from.
    Error invalid(std::string_view path, std::string_view message) const;

    /// The whole tree, for code that looks around itself.
    const Json& tree() const;

  private:
    struct State;
    template <typename T>
    Result<T> get(std::string_view path) const;
    std::shared_ptr<const State> state_;
};

}  // namespace bennu
