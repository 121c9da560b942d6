#include "bennu/net/client/curl_loop.hpp"

#include <curl/curl.h>
#include <pthread.h>
#include <sys/socket.h>

#include "bennu/base/ascii.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu::net {

namespace {

long milliseconds(Duration duration) {
    auto ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    return static_cast<long>(std::clamp<std::int64_t>(ms, 1, 24LL * 3600 * 1000));
}

bool streamed(const CurlTransfer& transfer) {
    return transfer.request.delivery == Delivery::streamed;
}

std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* user) {
    auto& transfer = *static_cast<CurlTransfer*>(user);
    transfer.moved = std::chrono::steady_clock::now();
    if (streamed(transfer))
        return transfer.flow->put({bytes, count}) ? count : std::size_t{CURL_WRITEFUNC_PAUSE};
    if (transfer.response.body.size() + count > transfer.request.max_body) {
        transfer.refused.emplace(ErrorKind::too_large, "body_too_large",
                                 "the answer is longer than was asked for");
        return 0;
    }
    transfer.response.body.append(bytes, count);
    return count;
}

std::size_t give_upload(char* to, std::size_t size, std::size_t items, void* user) {
    auto& transfer = *static_cast<CurlTransfer*>(user);
    std::size_t count = 0;
    const CurlFlow::Fill filled = transfer.flow->fill(to, size * items, count);
    transfer.moved = std::chrono::steady_clock::now();
    transfer.upload_begun = true;
    transfer.upload_waits = filled == CurlFlow::Fill::wait;
    transfer.upload_sent = filled == CurlFlow::Fill::over;
    return transfer.upload_waits ? std::size_t{CURL_READFUNC_PAUSE} : count;
}

/// What libcurl knows of the answer besides its headers.
ClientResponse response_of(CurlTransfer& transfer) {
    ClientResponse response = std::move(transfer.response);
    long status = 0, version = 0;
    curl_easy_getinfo(static_cast<CURL*>(transfer.easy), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(static_cast<CURL*>(transfer.easy), CURLINFO_HTTP_VERSION, &version);
    response.status = static_cast<int>(status);
    response.version = version == CURL_HTTP_VERSION_2_0   ? "2"
                       : version == CURL_HTTP_VERSION_1_0 ? "1.0"
                                                          : "1.1";
    response.url = transfer.request.url;
    return response;
}

std::size_t take_header(char* bytes, std::size_t, std::size_t count, void* user) {
    auto& transfer = *static_cast<CurlTransfer*>(user);
    std::string_view line(bytes, count);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // also after a 1xx
        transfer.response.headers.clear();
        transfer.head_done = false;
        return count;
    }
    if (line.empty()) {
        long status = 0;
        curl_easy_getinfo(static_cast<CURL*>(transfer.easy), CURLINFO_RESPONSE_CODE, &status);
        const bool final = status >= 200;
        if (final && !transfer.head_done && streamed(transfer))
            transfer.flow->answer(response_of(transfer));
        transfer.head_done = final;
        transfer.moved = std::chrono::steady_clock::now();
        return count;
    }
    const std::size_t colon = line.find(':');
    if (transfer.head_done || colon == std::string_view::npos) return count;  // trailers
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    std::string_view name = line.substr(0, colon);
    if (!Headers::valid_name(name) || !Headers::valid_value(value)) {
        transfer.refused.emplace(ErrorKind::io, "http", "the answer has a malformed header");
        return 0;
    }
    transfer.response.headers.add(name, value);
    return count;
}

/// The last word on where a connection goes: whatever a name meant before, this address is it.
curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) {
    auto& transfer = *static_cast<CurlTransfer*>(user);
    if (transfer.options->reach == Reach::public_only) {
        std::optional<IpAddress> ip = IpAddress::of(&address->addr);
        if (!ip || (ip->special_purpose() &&
                    std::ranges::find(*transfer.also_reach, *ip) == transfer.also_reach->end())) {
            transfer.refused.emplace(ErrorKind::forbidden, "address_refused",
                                     "the host's address is not a public one");
            return CURL_SOCKET_BAD;
        }
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Error error_of(CURLcode code) {
    const char* why = curl_easy_strerror(code);
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return Error(ErrorKind::timeout, "timeout", why);
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return Error(ErrorKind::unavailable, "unknown_host", why);
        case CURLE_COULDNT_CONNECT:
            return Error(ErrorKind::unavailable, "not_reachable", why);
        case CURLE_GOT_NOTHING:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_PARTIAL_FILE:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return Error(ErrorKind::closed, "connection_lost", why);
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return Error(ErrorKind::invalid, "bad_url", why);
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
            return Error(ErrorKind::io, "tls", why);
        case CURLE_OUT_OF_MEMORY:
            return Error(ErrorKind::internal, "out_of_memory", why);
        default:
            return Error(ErrorKind::io, "http", why);
    }
}

void set_method(CURL* easy, CurlTransfer& transfer) {
    const ClientRequest& request = transfer.request;
    if (transfer.uploads) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_upload);
        curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
        const auto length = transfer.upload_length;
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                         length ? static_cast<curl_off_t>(*length) : curl_off_t{-1});
    }
    const bool sends = !request.body.empty() || request.method == Method::post ||
                       request.method == Method::put || request.method == Method::patch;
    if (sends && !transfer.uploads) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    if (request.method == Method::head) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (request.method != Method::get || sends)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                         std::string(to_string(request.method)).c_str());
}

curl_slist* header_list(const ClientRequest& request) {
    // libcurl waits for a `100 Continue` otherwise, and names a type that nobody chose.
    curl_slist* list = curl_slist_append(nullptr, "Expect:");
    if (!request.headers.contains("content-type")) list = curl_slist_append(list, "Content-Type:");
    for (auto [name, value] : request.headers) {
        // An empty value is written with a semicolon.
        std::string line(name);
        line += value.empty() ? std::string(";") : ": " + std::string(value);
        list = curl_slist_append(list, line.c_str());
    }
    return list;
}

/// libcurl copies it.
curl_blob blob_of(std::string_view text) {
    return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
}

void set_certificates(CURL* easy, const CurlTransportOptions& options) {
    if (!options.authorities.empty()) {
        const curl_blob pem = blob_of(options.authorities);
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &pem);
    }
    const TlsCertificate& own = options.certificate;
    if (!own.certificate_file.empty()) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, own.certificate_file.c_str());
    } else if (!own.certificate.empty()) {
        const curl_blob pem = blob_of(own.certificate);
        curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &pem);
    }
    if (!own.key_file.empty()) {
        curl_easy_setopt(easy, CURLOPT_SSLKEY, own.key_file.c_str());
    } else if (!own.key.reveal().empty()) {
        const curl_blob pem = blob_of(own.key.reveal());
        curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &pem);
    }
}

void set_up(CURL* easy, CurlTransfer& transfer) {
    const ClientRequest& request = transfer.request;
    const CurlTransportOptions& options = *transfer.options;
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, options.proxy.c_str());
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    // While a stream is paused libcurl keeps what it has decoded, however much that is.
    if (!streamed(transfer)) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    const bool alone = transfer.flow != nullptr;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     static_cast<long>(alone ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
    if (transfer.uploads) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect_timeout));
    if (transfer.time != Duration::max())
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(transfer.time));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    set_certificates(easy, options);
    set_method(easy, transfer);
    curl_slist* headers = header_list(request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    transfer.header_list = headers;
}

/// What the clocks that libcurl does not know say of a transfer. A stream's reader watches by
/// itself, since only it knows whether it waits.
std::optional<Error> clock_error(const CurlTransfer& transfer,
                                 std::chrono::steady_clock::time_point at) {
    const ClientRequest& request = transfer.request;
    const bool uploading = transfer.uploads && !transfer.upload_sent;
    const auto still = at - transfer.moved;
    if (!transfer.head_done && !uploading) {
        const auto since = transfer.uploads ? still : at - transfer.begun;
        if (since > request.head_timeout)
            return Error(ErrorKind::timeout, "head_timeout", "the server did not begin to answer");
        return {};
    }
    // Making the connection has a clock of its own.
    const bool runs =
        uploading ? transfer.upload_begun && !transfer.upload_waits : !streamed(transfer);
    if (runs && still > request.idle_timeout)
        return Error(ErrorKind::timeout, "idle_timeout", "nothing moves any more");
    return {};
}

/// Connects to the address that was checked, while TLS and `Host` go on naming the host.
curl_slist* pin(CURL* easy, const std::string& address) {
    const bool v6 = address.find(':') != std::string::npos;
    const std::string line = "::" + (v6 ? "[" + address + "]" : address) + ":";
    curl_slist* list = curl_slist_append(nullptr, line.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, list);
    return list;
}

}  // namespace

CurlLoop::CurlLoop(CurlTransportOptions options) : options_(std::move(options)) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) throw std::runtime_error(curl_easy_strerror(ready));
    for (const std::string& text : options_.also_reach) {
        std::optional<IpAddress> address = IpAddress::parse(text);
        if (!address) throw std::invalid_argument("not an address: " + text);
        also_reach_.push_back(*address);
    }
    multi_ = curl_multi_init();
    if (!multi_) throw std::bad_alloc();
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.idle_connections));
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "http-client");
}

CurlLoop::~CurlLoop() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    for (auto& [easy, transfer] : running_) {
        curl_multi_remove_handle(multi_, easy);
        curl_easy_cleanup(easy);
        curl_slist_free_all(static_cast<curl_slist*>(transfer->header_list));
        curl_slist_free_all(static_cast<curl_slist*>(transfer->pin_list));
    }
    curl_multi_cleanup(multi_);
}

void CurlLoop::submit(std::shared_ptr<CurlTransfer> transfer) {
    {
        std::lock_guard lock(mutex_);
        submitted_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_);
}

void CurlLoop::cancel(std::shared_ptr<CurlTransfer> transfer) {
    {
        std::lock_guard lock(mutex_);
        cancelled_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_);
}

void CurlLoop::resume(std::shared_ptr<CurlTransfer> transfer) {
    {
        std::lock_guard lock(mutex_);
        resumed_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_);
}

void CurlLoop::run() {
    while (take_orders()) {
        int active = 0;
        curl_multi_perform(multi_, &active);
        collect_finished();
        watch_clocks();
        // Clocks that libcurl does not know are looked at ten times a second, while there are any.
        const bool idle = origins_.empty();
        curl_multi_poll(multi_, nullptr, 0, idle ? 60'000 : 100, nullptr);
    }
}

bool CurlLoop::take_orders() {
    std::vector<std::shared_ptr<CurlTransfer>> submitted, cancelled, resumed;
    {
        std::lock_guard lock(mutex_);
        if (stop_) return false;
        submitted.swap(submitted_);
        cancelled.swap(cancelled_);
        resumed.swap(resumed_);
    }
    for (auto& transfer : submitted) enter(std::move(transfer));
    for (auto& transfer : cancelled) {
        if (!transfer->over) leave(std::move(transfer));
    }
    for (auto& transfer : resumed) {
        // It may call back at once, for either direction.
        if (transfer->easy) curl_easy_pause(static_cast<CURL*>(transfer->easy), CURLPAUSE_CONT);
    }
    return true;
}

void CurlLoop::enter(std::shared_ptr<CurlTransfer> transfer) {
    transfer->options = &options_;
    transfer->also_reach = &also_reach_;
    transfer->queued = Clock::now();
    Origin& origin = origins_[transfer->origin];
    if (origin.running < options_.per_origin) {
        begin(std::move(transfer));
    } else if (origin.waiting.size() < options_.queue_limit) {
        origin.waiting.push_back(std::move(transfer));
    } else {
        finish(transfer, Error(ErrorKind::overloaded, "pool_full",
                               "too many requests wait for " + transfer->origin));
    }
}

void CurlLoop::begin(std::shared_ptr<CurlTransfer> transfer) {
    ++origins_[transfer->origin].running;
    transfer->begun = transfer->moved = Clock::now();
    CURL* easy = curl_easy_init();
    transfer->easy = easy;
    if (!easy) throw std::bad_alloc();
    if (transfer->time != Duration::max()) transfer->time -= transfer->begun - transfer->queued;
    set_up(easy, *transfer);
    if (!transfer->request.address.empty())
        transfer->pin_list = pin(easy, transfer->request.address);
    running_[easy] = transfer;
    curl_multi_add_handle(multi_, easy);
}

/// Out of the pool, whether it runs or waits; the next one in line begins.
void CurlLoop::leave(std::shared_ptr<CurlTransfer> transfer) {
    transfer->over = true;
    auto found = origins_.find(transfer->origin);
    if (found == origins_.end()) return;
    Origin& origin = found->second;
    if (CURL* easy = std::exchange(transfer->easy, nullptr)) {
        curl_multi_remove_handle(multi_, easy);
        curl_easy_cleanup(easy);
        curl_slist_free_all(
            static_cast<curl_slist*>(std::exchange(transfer->header_list, nullptr)));
        curl_slist_free_all(static_cast<curl_slist*>(std::exchange(transfer->pin_list, nullptr)));
        running_.erase(easy);
        --origin.running;
    } else {
        std::erase(origin.waiting, transfer);
    }
    if (!origin.waiting.empty() && origin.running < options_.per_origin) {
        std::shared_ptr<CurlTransfer> next = std::move(origin.waiting.front());
        origin.waiting.pop_front();
        begin(std::move(next));
    } else if (origin.running == 0 && origin.waiting.empty()) {
        origins_.erase(found);
    }
}

void CurlLoop::finish(const std::shared_ptr<CurlTransfer>& transfer,
                      Result<ClientResponse> outcome) {
    leave(transfer);
    if (transfer->flow) {
        std::optional<Error> error;
        if (!outcome) error = outcome.error();
        transfer->flow->answer(std::move(outcome));
        transfer->flow->end(std::move(error));
        return;
    }
    detail::post_home(static_cast<std::uint8_t>(transfer->reply.shard),
                      [reply = transfer->reply, outcome = std::move(outcome)]() mutable {
                          detail::send_reply(reply, std::move(outcome));
                      });
}

void CurlLoop::collect_finished() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL* easy = message->easy_handle;
        const CURLcode code = message->data.result;
        std::shared_ptr<CurlTransfer> transfer = running_.at(easy);
        if (transfer->refused) {
            finish(transfer, std::move(*transfer->refused));
            continue;
        }
        if (code != CURLE_OK) {
            finish(transfer, error_of(code));
            continue;
        }
        ClientResponse response = response_of(*transfer);
        // They speak of the body as it travelled.
        if (response.headers.contains("content-encoding") && !streamed(*transfer) &&
            transfer->request.method != Method::head) {
            response.headers.erase("content-encoding");
            response.headers.erase("content-length");
        }
        finish(transfer, std::move(response));
    }
}

void CurlLoop::watch_clocks() {
    const Clock::time_point at = Clock::now();
    std::vector<std::pair<std::shared_ptr<CurlTransfer>, Error>> late;
    for (auto& [name, origin] : origins_) {
        for (auto& transfer : origin.waiting) {
            if (at - transfer->queued < options_.queue_timeout) break;
            late.emplace_back(transfer, Error(ErrorKind::unavailable, "pool_timeout",
                                              "all " + std::to_string(options_.per_origin) +
                                                  " places for " + name + " stayed taken"));
        }
    }
    for (auto& [easy, transfer] : running_) {
        if (std::optional<Error> error = clock_error(*transfer, at))
            late.emplace_back(transfer, std::move(*error));
    }
    for (auto& [transfer, error] : late) finish(transfer, std::move(error));
}

}  // namespace bennu::net
