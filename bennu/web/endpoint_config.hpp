#pragma once

#include "bennu/base/config.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu {

/// An app's section `endpoint`:
///
///     auto endpoint = read_endpoint(config, {.upload_folder = data_dir + "/uploads"});
///
/// What it does not say stays as in `defaults`; `localhost` becomes its address. With trusted
/// proxies, whose connections are those of many, `per_ip` is 0 unless it is set. Settings that are
/// unknown, no sense, or at odds with each other are one error that names each with its line.
Result<EndpointOptions> read_endpoint(const Config& config, EndpointOptions defaults = {});

/// Reads the files that the options name, as the endpoint will (blocks), so that a mistake in them
/// is told before anything starts. Errors name the file.
Result<> check_certificates(const EndpointOptions& options);

/// The listener's side of the section: what its certificates, and those of its clients, ask for.
net::TlsOptions tls_options(const EndpointTls& tls);

/// Where a server is reached, as people write it: `http://localhost:4000` on this machine,
/// `https://` with certificates, `unix:/path` for a Unix socket. `bound` is where it really
/// listens.
std::string address_for_people(const EndpointOptions& options, const SocketAddress& bound);

}  // namespace bennu
