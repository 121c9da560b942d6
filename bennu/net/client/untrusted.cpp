#include "bennu/net/client/untrusted.hpp"

#include <netdb.h>

#include <algorithm>

#include "bennu/net/client/client_url.hpp"
#include "bennu/net/client/ip_address.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::net {

namespace {

Result<std::vector<std::string>> ask_system(const std::string& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int failure = getaddrinfo(host.c_str(), nullptr, &hints, &found); failure != 0)
        return Error(ErrorKind::unavailable, "unknown_host", gai_strerror(failure));
    std::vector<std::string> addresses;
    for (const addrinfo* each = found; each; each = each->ai_next) {
        if (std::optional<IpAddress> address = IpAddress::of(each->ai_addr))
            addresses.push_back(address->text());
    }
    freeaddrinfo(found);
    return addresses;
}

Error refused(const char* code, const char* why) {
    return Error(ErrorKind::forbidden, code, why);
}

/// A name of letters, digits, hyphens and dots that ends in a letter's label, as DNS writes it.
bool ordinary_name(std::string_view host) {
    const bool plain = std::ranges::all_of(host, [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
    if (!plain || host.size() > 253 || host.starts_with('.') || host.ends_with('.') ||
        host.find("..") != std::string_view::npos)
        return false;
    const std::size_t dot = host.rfind('.');
    return dot != std::string_view::npos &&
           !std::isdigit(static_cast<unsigned char>(host[dot + 1]));
}

class UntrustedGuard : public Step {
  public:
    explicit UntrustedGuard(UntrustedOptions options)
        : options_(std::move(options)),
          resolve_(std::make_shared<const ResolveHost>(
              options_.resolve ? std::move(options_.resolve) : ResolveHost(ask_system))) {
        for (const std::string& text : options_.also_reach) {
            std::optional<IpAddress> address = IpAddress::parse(text);
            if (!address) throw std::invalid_argument("not an address: " + text);
            also_reach_.push_back(*address);
        }
    }

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        ClientUrl url = co_await require(parse_client_url(request.url));
        co_await require(check(url));
        request.address = co_await require(checked_address(url.host));
        request.max_body = std::min(request.max_body, options_.max_body);
        request.deadline = std::min(request.deadline, now() + options_.timeout);
        request.body_deadline = std::min(request.body_deadline, request.deadline);
        const Duration left = request.deadline - now();
        Result<ClientResponse> answer = co_await within(next(std::move(request)), left);
        if (answer && answer->status >= 300 && answer->status < 400)
            co_return refused("redirect_refused", "the server redirects, which is not followed");
        co_return answer;
    }

  private:
    Result<> check(const ClientUrl& url) const {
        if (url.scheme != "https" && options_.plaintext == Plaintext::refused)
            return refused("scheme_refused", "only https is allowed");
        if (std::ranges::find(options_.ports, url.port) == options_.ports.end())
            return refused("port_refused", "the port is not among those allowed");
        if (!url.user.empty()) return refused("host_refused", "a URL with a user name");
        const bool numeric = IpAddress::parse(url.host).has_value();
        if (!url.plain_host && url.host.find(':') == std::string::npos)
            return refused("host_refused", "the host is written in an unusual way");
        if (!numeric && !ordinary_name(url.host))
            return refused("host_refused", "the host is no public name");
        return {};
    }

    Task<Result<std::string>> checked_address(std::string host) const {
        std::vector<std::string> found;
        if (IpAddress::parse(host)) {
            found.push_back(host);
        } else {
            found = co_await require(look_up(host));
        }
        if (found.empty())
            co_return Error(ErrorKind::unavailable, "unknown_host", "the host has no address");
        for (const std::string& text : found) {
            const std::optional<IpAddress> address = IpAddress::parse(text);
            const bool allowed =
                address && (!address->special_purpose() ||
                            std::ranges::find(also_reach_, *address) != also_reach_.end());
            if (!allowed)
                co_return refused("address_refused", "the host's address is not a public one");
        }
        co_return found.front();
    }

    Task<Result<std::vector<std::string>>> look_up(std::string host) const {
        Result<std::vector<std::string>> found = co_await offload(
            [resolve = resolve_, host = std::move(host)] { return (*resolve)(host); });
        co_return found;
    }

    UntrustedOptions options_;
    std::shared_ptr<const ResolveHost> resolve_;
    std::vector<IpAddress> also_reach_;
};

}  // namespace

StepPtr untrusted_guard(UntrustedOptions options) {
    return std::make_shared<UntrustedGuard>(std::move(options));
}

HttpClient untrusted_client(UntrustedOptions options, std::vector<StepPtr> outer) {
    std::shared_ptr<Transport> transport = make_curl_transport(
        {.per_origin = 16, .reach = Reach::public_only, .also_reach = options.also_reach});
    outer.push_back(untrusted_guard(std::move(options)));
    return HttpClient(std::move(transport), std::move(outer));
}

}  // namespace bennu::net
