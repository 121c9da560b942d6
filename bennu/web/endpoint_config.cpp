#include "bennu/web/endpoint_config.hpp"

#include "bennu/web/protect/ip_address.hpp"

namespace bennu {

namespace {

constexpr std::size_t shortest_secret = 32;

/// What is wrong with the values, each with its place.
class Complaints {
  public:
    explicit Complaints(const Config& config) : config_(config) {}

    void refuse(std::string_view setting, std::string_view message) {
        if (!text_.empty()) text_ += "\n";
        text_ += config_.invalid("endpoint." + std::string(setting), message).message();
    }
    void positive(std::string_view setting, Duration value) {
        if (value <= Duration::zero()) refuse(setting, "must be longer than 0s");
    }
    Result<> outcome() const {
        if (text_.empty()) return {};
        return Error(ErrorKind::invalid, "invalid_config", text_);
    }

  private:
    const Config& config_;
    std::string text_;
};

void check_times(const EndpointOptions& options, Complaints& complaints) {
    complaints.positive("head_timeout", options.head_timeout);
    complaints.positive("body_timeout", options.body_timeout);
    complaints.positive("send_timeout", options.send_timeout);
    complaints.positive("idle_timeout", options.idle_timeout);
    complaints.positive("tls.handshake_timeout", options.tls.handshake_timeout);
}

void check_tls(const EndpointOptions& options, Complaints& complaints) {
    const EndpointTls& tls = options.tls;
    for (std::size_t i = 0; i < tls.certificates.size(); ++i) {
        const std::string at = "tls.certificates." + std::to_string(i);
        if (tls.certificates[i].certificate_file.empty()) {
            complaints.refuse(at, "must name a certificate_file");
        }
        if (tls.certificates[i].key_file.empty()) complaints.refuse(at, "must name a key_file");
    }
    const bool asks = tls.client_certificates != net::ClientCertificates::ignored;
    if (asks && tls.certificates.empty()) {
        complaints.refuse("tls.client_certificates",
                          "needs endpoint.tls.certificates: clients show theirs over TLS");
    }
    if (asks == tls.client_authorities_file.empty()) {
        complaints.refuse("tls.client_authorities_file",
                          asks ? "must name the authorities of the clients' certificates"
                               : "needs tls.client_certificates to be optional or required");
    }
    if (tls.redirect_port == 0) return;
    if (tls.certificates.empty()) {
        complaints.refuse("tls.redirect_port",
                          "needs endpoint.tls.certificates: without them there is nothing "
                          "encrypted to lead to");
    }
    if (tls.redirect_port == options.port) {
        complaints.refuse("tls.redirect_port", "must be another port than endpoint.port");
    }
    if (options.host.starts_with("unix:")) {
        complaints.refuse("tls.redirect_port", "cannot be used with a Unix socket as the host");
    }
}

void check_proxies(const EndpointOptions& options, Complaints& complaints) {
    for (const std::string& proxy : options.trusted_proxies) {
        if (proxy == "unix") continue;
        const Result<Cidr> range = Cidr::parse(proxy);
        if (!range) complaints.refuse("trusted_proxies", range.error().message());
    }
}

void check_hosts(const EndpointOptions& options, Complaints& complaints) {
    if (const Result<HostList> hosts = HostList::make(options); !hosts)
        complaints.refuse("hosts", hosts.error().message());
}

void check_secrets(const EndpointOptions& options, Complaints& complaints) {
    const std::string_view message = "must have at least 32 bytes";
    const std::size_t size = options.secret.reveal().size();
    if (size > 0 && size < shortest_secret) complaints.refuse("secret", message);
    for (const Secret& older : options.older_secrets) {
        if (older.reveal().size() < shortest_secret) complaints.refuse("older_secrets", message);
    }
}

}  // namespace

Result<EndpointOptions> read_endpoint(const Config& config, EndpointOptions defaults) {
    EndpointOptions options = std::move(defaults);
    Result<> read = config.read_section("endpoint", &options, record_of<EndpointOptions>());
    if (!read) return std::move(read).error();
    if (options.host == "localhost") options.host = "127.0.0.1";
    if (!options.trusted_proxies.empty() && !config.contains("endpoint.per_ip")) options.per_ip = 0;
    Complaints complaints(config);
    if (options.host == "unix:") complaints.refuse("host", "must name a file after unix:");
    check_times(options, complaints);
    check_tls(options, complaints);
    check_hosts(options, complaints);
    check_proxies(options, complaints);
    check_secrets(options, complaints);
    if (Result<> sound = complaints.outcome(); !sound) return std::move(sound).error();
    return options;
}

Result<> check_certificates(const EndpointOptions& options) {
    if (options.tls.certificates.empty()) return {};
    auto context = net::TlsContext::server(tls_options(options.tls));
    if (!context) return std::move(context).error();
    return {};
}

net::TlsOptions tls_options(const EndpointTls& tls) {
    net::TlsOptions options;
    for (const CertificateFiles& files : tls.certificates) {
        options.certificates.push_back(
            {.certificate_file = files.certificate_file, .key_file = files.key_file});
    }
    options.handshake_timeout = tls.handshake_timeout;
    options.client_certificates = tls.client_certificates;
    options.client_authorities_file = tls.client_authorities_file;
    return options;
}

std::string address_for_people(const EndpointOptions& options, const SocketAddress& bound) {
    if (bound.is_unix()) return bound.to_string();
    const bool here = bound.host == "127.0.0.1" || bound.host == "0.0.0.0" || bound.host == "::" ||
                      bound.host == "::1";
    const std::string_view scheme = options.tls.certificates.empty() ? "http://" : "https://";
    return std::string(scheme) +
           SocketAddress{here ? "localhost" : bound.host, bound.port}.to_string();
}

}  // namespace bennu
