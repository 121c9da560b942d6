#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bennu/web/endpoint.hpp"

namespace bennu {

namespace detail {

/// By what a file shows that it was replaced or written; all zero when there is none. A link shows
/// what the file behind it does.
struct FileStamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t changed = 0;  ///< nanoseconds since 1970
    bool operator==(const FileStamp&) const = default;
};

}  // namespace detail

/// Looks at the files of an endpoint's certificates and of its clients' authorities every
/// `reload_every`, and has the endpoint read them again once they changed and then stayed as they
/// are for one look, so that a chain and its key that are written one after the other are taken
/// together. Connections that are open keep theirs. Says in the log how it went; what cannot be
/// used is left alone until it changes again, and the endpoint goes on with what it has.
class CertificateWatch : public Server {
  public:
    CertificateWatch(EndpointTls tls, std::string endpoint);

    struct Look {};

    Task<Result<>> init();
    Task<> handle(Look);

  private:
    using Stamps = std::vector<detail::FileStamp>;
    /// Off the shard: the files may be anywhere.
    Task<Stamps> stamps() const;
    Task<> reload(Stamps now);

    EndpointTls tls_;
    std::string endpoint_;  ///< the name of its process
    Stamps used_;           ///< as the endpoint read them, or could not
    Stamps seen_;           ///< at the last look
};

/// The watch over the files of an endpoint that is registered as `endpoint`, as a child beside it.
ChildSpec child_certificate_watch(const EndpointTls& tls, std::string endpoint = "endpoint",
                                  ChildOptions child = {.id = "certificate_watch"});

}  // namespace bennu
