#include <set>

#include "apps/assetronics/lib/devices/collector.hpp"
#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"
#include "bennu/base/random.hpp"
#include "bennu/base/utf8.hpp"

namespace assetronics::devices {

using namespace bennu;

namespace {

constexpr std::size_t token_bytes = 32;
constexpr std::size_t longest_name = 100;

std::string new_token() {
    std::string bytes(token_bytes, '\0');
    secure_random(std::as_writable_bytes(std::span(bytes)));
    return base64url_encode(bytes);
}

Result<> check(std::vector<Enrolment>& enrolments) {
    if (enrolments.empty() || enrolments.size() > most_enrolments) {
        return Error::field("devices", "length", "must be a list of 1 to 1,000 devices");
    }
    std::vector<FieldError> errors;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < enrolments.size(); ++i) {
        const std::string at = "devices." + std::to_string(i);
        Enrolment& each = enrolments[i];
        const auto mac = normal_mac(each.mac);
        if (!mac) {
            errors.push_back({at + ".mac", "invalid", "must be a MAC such as 02:00:00:00:00:01"});
        } else if (!seen.insert(*mac).second) {
            errors.push_back({at + ".mac", "taken", "is in the list twice"});
        } else {
            each.mac = *mac;
        }
        if (each.name && count_code_points(*each.name) > longest_name) {
            errors.push_back({at + ".name", "too_long", "must be at most 100 characters long"});
        }
    }
    if (!errors.empty()) return Error::invalid(std::move(errors));
    return {};
}

}  // namespace

std::string token_digest(std::string_view token) {
    return hex_encode(as_text(sha256(token)));
}

Task<Result<std::vector<Credential>>> enrol(Scope scope, std::vector<Enrolment> enrolments) {
    if (Result<> sound = check(enrolments); !sound) co_return std::move(sound).error();
    std::vector<std::string> macs;
    for (const Enrolment& each : enrolments) macs.push_back(each.mac);
    auto room = co_await require(
        co_await try_call(collector(), Collector::Room{scope.tenant, std::move(macs)}));
    if (!room) co_return std::move(room).error();

    std::vector<Credential> credentials;
    auto rows =
        co_await require(scope.repo.transaction([&](Tx tx) -> Task<Result<std::vector<DeviceRow>>> {
            std::vector<DeviceRow> all;
            credentials.clear();
            for (const Enrolment& each : enrolments) {
                std::string token = new_token();
                DeviceRow row = co_await require(keep(scope.within(tx), each, token_digest(token)));
                credentials.push_back({row.id, row.mac, std::move(token)});
                all.push_back(std::move(row));
            }
            co_return all;
        }));
    cast(collector(), Collector::Renewed{std::move(rows)});
    co_return credentials;
}

Task<Result<>> revoke(Scope scope, Id id) {
    DeviceRow row = co_await require(scope.repo.get<DeviceRow>(scope.tenant, id));
    row.token_hash.reset();
    row = co_await require(
        scope.repo.update(std::move(row), Fields<DeviceRow>{&DeviceRow::token_hash}));
    std::vector<DeviceRow> rows;
    rows.push_back(std::move(row));
    cast(collector(), Collector::Renewed{std::move(rows)});
    co_return Result<>();
}

}  // namespace assetronics::devices
