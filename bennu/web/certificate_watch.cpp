#include "bennu/web/certificate_watch.hpp"

#include <sys/stat.h>

#include "bennu/base/log.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu {

namespace {

detail::FileStamp stamp_of(const std::string& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) return {};
    return {.device = found.st_dev,
            .inode = found.st_ino,
            .size = static_cast<std::uint64_t>(found.st_size),
            .changed = found.st_mtim.tv_sec * 1'000'000'000LL + found.st_mtim.tv_nsec};
}

}  // namespace

CertificateWatch::CertificateWatch(EndpointTls tls, std::string endpoint)
    : tls_(std::move(tls)), endpoint_(std::move(endpoint)) {}

Task<Result<>> CertificateWatch::init() {
    used_ = seen_ = co_await stamps();
    send_after(Ref<CertificateWatch>(self()), Look{}, tls_.reload_every);
    co_return Result<>();
}

Task<> CertificateWatch::handle(Look) {
    Stamps now = co_await stamps();
    const bool settled = now == seen_;
    seen_ = now;
    if (settled && now != used_) co_await reload(std::move(now));
    send_after(Ref<CertificateWatch>(self()), Look{}, tls_.reload_every);
}

Task<CertificateWatch::Stamps> CertificateWatch::stamps() const {
    co_return co_await offload(
        [files = tls_.certificates, authorities = tls_.client_authorities_file] {
            Stamps all;
            if (!authorities.empty()) all.push_back(stamp_of(authorities));
            for (const CertificateFiles& each : files) {
                all.push_back(stamp_of(each.certificate_file));
                all.push_back(stamp_of(each.key_file));
            }
            return all;
        });
}

Task<> CertificateWatch::reload(Stamps now) {
    const auto endpoint = whereis<net::HttpServer>(endpoint_);
    // One that is being started again reads the files by itself; which, the next look decides.
    if (!endpoint) co_return;
    const Result<> read = co_await call(endpoint, net::HttpServer::ReloadCertificates{});
    used_ = std::move(now);
    if (read) {
        log_info("new TLS certificates are in use", {{"certificates", tls_.certificates.size()}});
    } else {
        log_error("the new TLS certificates cannot be used; the ones of before stay in use",
                  {{"error", read.error().describe()}});
    }
}

ChildSpec child_certificate_watch(const EndpointTls& tls, std::string endpoint,
                                  ChildOptions child_options) {
    return child<CertificateWatch>(std::move(child_options), tls, std::move(endpoint));
}

}  // namespace bennu
