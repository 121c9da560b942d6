#include "apps/assetronics/tools/device_tokens.hpp"

#include <algorithm>
#include <cstdio>

#include "apps/assetronics/tools/http_client.hpp"

namespace assetronics::tools {

using namespace bennu;

namespace {

struct Request {
    std::vector<devices::Enrolment> devices;
};
BENNU_RECORD(Request, devices)
struct Answer {
    std::vector<devices::Credential> data;
};
BENNU_RECORD(Answer, data)

Error refused(const HttpAnswer& answer, const std::string& tenant) {
    if (answer.status == 404) {
        return Error(ErrorKind::not_found, "tenant", "there is no tenant \"" + tenant + "\"");
    }
    const Result<Json> body = parse_json(answer.body);
    std::string why;
    if (body) why = (*body)["errors"][0].get<std::string>("message").value_or("");
    return Error(ErrorKind::unavailable, "refused",
                 "the server issues no tokens: " +
                     (why.empty() ? "status " + std::to_string(answer.status) : why));
}

}  // namespace

Result<std::vector<devices::Credential>> request_tokens(
    const std::string& url, const std::string& tenant,
    const std::vector<devices::Enrolment>& enrolments) {
    std::vector<devices::Credential> all;
    for (std::size_t first = 0; first < enrolments.size(); first += devices::most_enrolments) {
        const std::size_t end = std::min(first + devices::most_enrolments, enrolments.size());
        const Request request{{enrolments.begin() + static_cast<std::ptrdiff_t>(first),
                               enrolments.begin() + static_cast<std::ptrdiff_t>(end)}};
        const Result<HttpAnswer> answer =
            http_call({.url = url + "/api/v1/devices/tokens",
                       .headers = {"x-tenant-id: " + tenant, "content-type: application/json"},
                       .body = to_json(request)});
        if (!answer) {
            return Error(
                ErrorKind::unavailable, "not_reachable",
                "no server answers at " + url + "; start it with ./run, or name it with --url");
        }
        if (answer->status != 201) return refused(*answer, tenant);
        Result<Json> body = parse_json(answer->body);
        if (!body) return std::move(body).error();
        Result<Answer> issued = from_json<Answer>(*body);
        if (!issued) return std::move(issued).error();
        std::ranges::move(issued->data, std::back_inserter(all));
    }
    return all;
}

int print_device_token(const DeviceTokenCommand& command) {
    const auto fail = [](const Error& error) {
        std::fprintf(stderr, "assetronics device-token: %s\n",
                     std::string(error.message()).c_str());
        return 1;
    };
    const Result<ServerAddress> server = parse_server(command.url);
    if (!server) return fail(server.error());
    devices::Enrolment enrolment{.mac = command.mac};
    if (!command.name.empty()) enrolment.name = command.name;
    const auto issued = request_tokens(server->url, command.tenant, {enrolment});
    if (!issued) return fail(issued.error());
    std::printf("%s\n", issued->front().token.c_str());
    return 0;
}

}  // namespace assetronics::tools
