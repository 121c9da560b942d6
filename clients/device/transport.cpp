#include "clients/device/transport.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace bennu::device {

namespace {

/// More than that does not wait here for the network.
constexpr std::size_t most_unsent = 64 * 1024;
constexpr std::size_t piece = 16 * 1024;

/// Unpredictable, and never 0, which would mean no mask.
std::uint32_t mask_key() {
    std::uint32_t key = 0;
    while (key == 0) {
        if (RAND_bytes(reinterpret_cast<unsigned char*>(&key), sizeof key) != 1) return 0;
    }
    return key;
}

bool is_address(const std::string& host) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

std::string tls_problem(const char* what) {
    const unsigned long code = ERR_get_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return std::string(what) + ": " + (reason ? reason : "unknown");
}

}  // namespace

/// TLS between two buffers; the socket is not its business.
struct Transport::Tls {
    SSL_CTX* context = nullptr;
    SSL* session = nullptr;
    BIO* from_network = nullptr;  // both belong to the session
    BIO* to_network = nullptr;
    bool established = false;

    ~Tls() {
        SSL_free(session);
        SSL_CTX_free(context);
    }

    /// An error's text; empty when all is well.
    std::string prepare(const TransportOptions& options) {
        context = SSL_CTX_new(TLS_client_method());
        if (!context) return tls_problem("TLS");
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        const std::string& file = options.ca_file;
        const int loaded = file.empty()
                               ? SSL_CTX_set_default_verify_paths(context)
                               : SSL_CTX_load_verify_locations(context, file.c_str(), nullptr);
        if (loaded != 1) return tls_problem("the certificates of the authorities");
        session = SSL_new(context);
        from_network = BIO_new(BIO_s_mem());
        to_network = BIO_new(BIO_s_mem());
        if (!session || !from_network || !to_network) return tls_problem("TLS");
        SSL_set_bio(session, from_network, to_network);
        SSL_set_connect_state(session);
        return expect(options.url.host);
    }

    /// The certificate must be for that name or address.
    std::string expect(const std::string& host) {
        X509_VERIFY_PARAM* parameters = SSL_get0_param(session);
        if (is_address(host)) {
            const bool set = X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1;
            return set ? std::string() : tls_problem("the host's address");
        }
        X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        const bool set = SSL_set1_host(session, host.c_str()) == 1 &&
                         SSL_set_tlsext_host_name(session, host.c_str()) == 1;
        return set ? std::string() : tls_problem("the host's name");
    }

    std::string shake_hands() {
        const int result = SSL_do_handshake(session);
        if (result == 1) {
            established = true;
            return {};
        }
        if (SSL_get_error(session, result) == SSL_ERROR_WANT_READ) return {};
        const long verdict = SSL_get_verify_result(session);
        if (verdict != X509_V_OK) {
            ERR_clear_error();
            return std::string("the certificate: ") + X509_verify_cert_error_string(verdict);
        }
        return tls_problem("TLS handshake");
    }

    void take_encrypted(std::string& out) {
        std::array<char, piece> bytes;
        int size = 0;
        while ((size = BIO_read(to_network, bytes.data(), static_cast<int>(bytes.size()))) > 0) {
            out.append(bytes.data(), static_cast<std::size_t>(size));
        }
    }
};

Transport::Transport(TransportOptions options)
    : options_(std::move(options)),
      decoder_(net::WebSocketDecoder::Role::client, {.message = options_.largest_message}) {
    if (!options_.lookup) options_.lookup = std::make_shared<Lookup>();
}

Transport::~Transport() {
    shut();
}

void Transport::begin(Time now) {
    begun_ = true;
    deadline_ = now + options_.connect_timeout;
    if (options_.url.secure) {
        tls_ = std::make_unique<Tls>();
        if (std::string problem = tls_->prepare(options_); !problem.empty()) {
            fail(std::move(problem));
            return;
        }
    }
    options_.lookup->begin(options_.url.host, options_.url.port);
    looking_up_ = true;
    problem_ = "no address of " + options_.url.host;
}

void Transport::look_up() {
    std::optional<Found> found = options_.lookup->take();
    if (!found) return;
    looking_up_ = false;
    if (found->addresses.empty()) {
        fail(std::move(found->problem));
        return;
    }
    addresses_ = std::move(found->addresses);
    std::ranges::reverse(addresses_);
    try_next_address();
}

void Transport::try_next_address() {
    while (!addresses_.empty()) {
        const Address address = addresses_.back();
        addresses_.pop_back();
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ =
            ::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (descriptor_ < 0) {
            problem_ = std::strerror(errno);
            continue;
        }
        const int on = 1;
        setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address.bytes),
                      address.size) == 0) {
            connected();
            return;
        }
        if (errno == EINPROGRESS) return;
        problem_ = std::strerror(errno);
    }
    fail(problem_);
}

void Transport::connected() {
    linked_ = true;
    addresses_.clear();
    problem_.clear();
    if (!tls_) begin_handshake();
}

void Transport::begin_handshake() {
    std::array<char, 16> bytes;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()) != 1) {
        fail("no random numbers");
        return;
    }
    handshake_ = {.authority = options_.url.authority(),
                  .target = options_.url.target(options_.params),
                  .key = base64({bytes.data(), bytes.size()}),
                  .auth_token = options_.auth_token,
                  .headers = options_.headers};
    handshake_sent_ = true;
    queue_plain(handshake_.request());
}

void Transport::queue_plain(std::string_view bytes) {
    if (!tls_) {
        out_ += bytes;
        return;
    }
    // A memory buffer takes everything at once.
    if (!bytes.empty() &&
        SSL_write(tls_->session, bytes.data(), static_cast<int>(bytes.size())) <= 0) {
        fail(tls_problem("TLS"));
    }
}

void Transport::step(Time now, const std::function<bool()>& more, const OnMessage& on_message) {
    if (state_ == State::closed) return;
    if (!begun_) begin(now);
    if (state_ == State::connecting && deadline_ && *deadline_ <= now) {
        fail(problem_.empty() ? "no connection in time" : problem_ + ", in time");
    }
    if (state_ != State::closed && looking_up_) look_up();
    if (state_ != State::closed && !looking_up_ && !linked_) {
        int error = 0;
        socklen_t size = sizeof error;
        sockaddr_storage peer{};
        socklen_t peer_size = sizeof peer;
        getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
            problem_ = std::strerror(error);
            try_next_address();
        } else if (getpeername(descriptor_, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0) {
            connected();
        }
    }
    if (state_ == State::closed || !linked_) return;
    if (tls_ && !tls_->established) {
        if (std::string problem = tls_->shake_hands(); !problem.empty()) fail(std::move(problem));
    }
    write();
    read();
    read_frames(more, on_message);
    write();
    if (state_ != State::closed && !ending_.empty()) fail(ending_);
}

void Transport::write() {
    if (tls_ && state_ != State::closed) tls_->take_encrypted(out_);
    std::size_t done = 0;
    while (state_ != State::closed && done < out_.size()) {
        const ssize_t sent =
            ::send(descriptor_, out_.data() + done, out_.size() - done, MSG_NOSIGNAL);
        if (sent > 0) {
            done += static_cast<std::size_t>(sent);
        } else if (errno == EAGAIN || errno == EINTR) {
            break;
        } else {
            fail(std::strerror(errno));
        }
    }
    out_.erase(0, done);
}

void Transport::read() {
    std::array<char, piece> bytes;
    // One piece at a time, so that a fast server does not keep a device from everything else.
    if (state_ == State::closed || in_.size() > options_.largest_message + piece) return;
    const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (got == 0) {
        fail(problem_.empty() ? "the server closed the connection" : problem_);
        return;
    }
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR) fail(std::strerror(errno));
        return;
    }
    if (!tls_) {
        in_.append(bytes.data(), static_cast<std::size_t>(got));
        return;
    }
    BIO_write(tls_->from_network, bytes.data(), static_cast<int>(got));
    if (!tls_->established) {
        if (std::string problem = tls_->shake_hands(); !problem.empty()) {
            // The reason goes to the server, too.
            write();
            fail(std::move(problem));
            return;
        }
        if (!tls_->established) return;
    }
    int size = 0;
    while ((size = SSL_read(tls_->session, bytes.data(), static_cast<int>(bytes.size()))) > 0) {
        in_.append(bytes.data(), static_cast<std::size_t>(size));
    }
    const int error = SSL_get_error(tls_->session, size);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        // What came before the end is still handed out.
        ending_ = error == SSL_ERROR_ZERO_RETURN ? "the server closed the connection"
                                                 : tls_problem("TLS");
    }
}

void Transport::read_handshake() {
    const HandshakeAnswer answer = read_answer(in_, handshake_);
    if (answer.kind == HandshakeAnswer::Kind::refused) {
        fail(answer.problem);
    } else if (answer.kind == HandshakeAnswer::Kind::accepted) {
        in_.erase(0, answer.consumed);
        state_ = State::open;
        deadline_.reset();
    }
}

void Transport::read_frames(const std::function<bool()>& more, const OnMessage& on_message) {
    if (tls_ && tls_->established && !handshake_sent_) begin_handshake();
    if (state_ == State::connecting && handshake_sent_) {
        read_handshake();
        return;  // who drives this hears of the open connection before its first message
    }
    while (state_ == State::open && more()) {
        const net::WebSocketEvent event = decoder_.next({in_.data(), in_.size()});
        if (event.kind == net::WebSocketEvent::Kind::need_more) return;
        frame(event, on_message);
        in_.erase(0, event.consumed);
    }
}

void Transport::frame(const net::WebSocketEvent& event, const OnMessage& on_message) {
    using Kind = net::WebSocketEvent::Kind;
    switch (event.kind) {
        case Kind::text:
        case Kind::binary:
            on_message(event.payload,
                       event.kind == Kind::binary ? FrameKind::binary : FrameKind::text);
            return;
        case Kind::ping: {
            std::string pong;
            net::encode_masked_frame(pong, net::Opcode::pong, event.payload, mask_key());
            queue_plain(pong);
            return;
        }
        case Kind::close:
            close(net::close_code::normal);
            problem_ = "the server closed: " + std::to_string(event.code);
            return;
        case Kind::error:
            close(event.code);
            problem_ = "not a WebSocket's frame: " + std::string(event.payload);
            return;
        default:
            return;
    }
}

void Transport::send(std::string_view message, FrameKind kind) {
    if (state_ != State::open) return;
    std::string bytes;
    net::encode_masked_frame(bytes,
                             kind == FrameKind::binary ? net::Opcode::binary : net::Opcode::text,
                             message, mask_key());
    queue_plain(bytes);
    write();
}

bool Transport::takes_more() const {
    return state_ == State::open && out_.size() < most_unsent;
}

void Transport::close(std::uint16_t code) {
    if (state_ == State::open) {
        std::string bytes;
        net::encode_masked_close(bytes, code, {}, mask_key());
        queue_plain(bytes);
        if (tls_) SSL_shutdown(tls_->session);
        write();
    }
    shut();
}

bool Transport::wants_read() const {
    return state_ != State::closed && (linked_ || looking_up_);
}
bool Transport::wants_write() const {
    return state_ != State::closed && !looking_up_ && (!linked_ || !out_.empty());
}
std::optional<Time> Transport::deadline() const {
    if (state_ == State::closed) return std::nullopt;
    return begun_ ? deadline_ : std::optional(Time(0));
}

void Transport::fail(std::string problem) {
    problem_ = std::move(problem);
    shut();
}

void Transport::shut() {
    state_ = State::closed;
    looking_up_ = false;  // nobody wants the answer; the next connection may
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

}  // namespace bennu::device
