#include "bennu/net/http2_testing.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

#include "bennu/net/http2_connection.hpp"

namespace bennu::net {

namespace {

constexpr std::uint32_t no_goaway = 999;

void append_number(std::string& out, std::uint32_t number, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint32_t read_number(std::string_view bytes) {
    std::uint32_t number = 0;
    for (char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
    return number;
}

void append_text(std::string& out, std::string_view text) {
    // The length as an integer of seven bits (RFC 7541, 5.1).
    std::size_t size = text.size();
    if (size < 127) {
        out.push_back(static_cast<char>(size));
    } else {
        out.push_back(127);
        for (size -= 127; size >= 128; size >>= 7) out.push_back(static_cast<char>(size | 128));
        out.push_back(static_cast<char>(size));
    }
    out.append(text);
}

}  // namespace

std::string to_bytes(const Http2Frame& frame) {
    std::string bytes;
    append_number(bytes, static_cast<std::uint32_t>(frame.payload.size()), 3);
    bytes.push_back(static_cast<char>(frame.type));
    bytes.push_back(static_cast<char>(frame.flags));
    append_number(bytes, frame.stream, 4);
    return bytes + frame.payload;
}

std::vector<Http2Frame> read_frames(std::string_view bytes) {
    std::vector<Http2Frame> frames;
    while (bytes.size() >= 9) {
        const std::size_t size = read_number(bytes.substr(0, 3));
        if (bytes.size() < 9 + size) break;
        frames.push_back({.type = static_cast<std::uint8_t>(bytes[3]),
                          .flags = static_cast<std::uint8_t>(bytes[4]),
                          .stream = read_number(bytes.substr(5, 4)),
                          .payload = std::string(bytes.substr(9, size))});
        bytes.remove_prefix(9 + size);
    }
    return frames;
}

std::string plain_block(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string block;
    for (const auto& [name, value] : fields) {
        block.push_back(0);
        append_text(block, name);
        append_text(block, value);
    }
    return block;
}

std::string http2_hello() {
    return std::string(http2_preface) + to_bytes({.type = NGHTTP2_SETTINGS});
}

std::uint32_t goaway_code(std::string_view bytes) {
    for (const Http2Frame& frame : read_frames(bytes)) {
        if (frame.type == NGHTTP2_GOAWAY && frame.payload.size() >= 8)
            return read_number(std::string_view(frame.payload).substr(4, 4));
    }
    return no_goaway;
}

struct Http2ClientState {
    struct Stream {
        Http2Reply reply;
        std::string body;  ///< to send
        std::vector<std::pair<std::string, std::string>> trailers;
        bool ends = false;
        bool waits = false;
        std::string until;
        From<Http2Reply> waiting;
    };

    SocketAddress address;
    Http2Client::Options options;
    TcpStream stream{-1};
    nghttp2_session* session = nullptr;
    std::map<std::int32_t, Stream> streams;
    std::string unsent;
    std::uint32_t goaway = no_goaway;
    bool closed = false;
    bool continuing = false;
    From<std::uint32_t> waits_goaway;
    From<bool> waits_close;

    std::int32_t submit(std::vector<std::pair<std::string, std::string>> fields, bool ends);
};

namespace {

Http2ClientState& state_of(void* user) {
    return *static_cast<Http2ClientState*>(user);
}

std::vector<nghttp2_nv> list_of(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::vector<nghttp2_nv> list;
    for (const auto& [name, value] : fields) {
        list.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
                        name.size(), value.size(), 0});
    }
    return list;
}

ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t size,
                  std::uint32_t* flags, nghttp2_data_source*, void* user) {
    Http2ClientState::Stream& stream = state_of(user).streams[id];
    const std::size_t count = std::min(size, stream.body.size());
    if (count == 0 && !stream.ends) {
        stream.waits = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    std::memcpy(into, stream.body.data(), count);
    stream.body.erase(0, count);
    if (stream.body.empty() && stream.ends) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (!stream.trailers.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            const auto list = list_of(stream.trailers);
            nghttp2_submit_trailer(session, id, list.data(), list.size());
        }
    }
    return static_cast<ssize_t>(count);
}

int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
              std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
              std::uint8_t, void* user) {
    Http2Reply& reply = state_of(user).streams[frame->hd.stream_id].reply;
    const std::string name_text(name, name + name_size), value_text(value, value + value_size);
    if (name_text == ":status") {
        if (reply.status != 0) reply.informational.push_back(reply.status);
        reply.status = std::stoi(value_text);
    } else {
        reply.headers.add(name_text, value_text);
    }
    return 0;
}

int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
            std::size_t size, void* user) {
    state_of(user).streams[id].reply.body.append(bytes, bytes + size);
    return 0;
}

int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) && ends)
        state_of(user).streams[frame->hd.stream_id].reply.ended = true;
    if (frame->hd.type == NGHTTP2_GOAWAY) state_of(user).goaway = frame->goaway.error_code;
    return 0;
}

int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    Http2Reply& reply = state_of(user).streams[id].reply;
    reply.closed = true;
    reply.error = code;
    return 0;
}

}  // namespace

std::int32_t Http2ClientState::submit(std::vector<std::pair<std::string, std::string>> fields,
                                      bool ends) {
    std::vector<std::pair<std::string, std::string>> all;
    for (auto [name, value] : {std::pair(":method", "GET"), std::pair(":scheme", "http"),
                               std::pair(":authority", "x"), std::pair(":path", "/")}) {
        auto given = std::ranges::find(fields, name, [](const auto& field) { return field.first; });
        all.emplace_back(name, given == fields.end() ? value : given->second);
        if (given != fields.end()) fields.erase(given);
    }
    all.insert(all.end(), fields.begin(), fields.end());
    std::erase_if(all, [](const auto& field) { return field.second == "(none)"; });
    const auto list = list_of(all);
    const nghttp2_data_provider body{.source = {}, .read_callback = &read_body};
    return nghttp2_submit_request(session, nullptr, list.data(), list.size(),
                                  ends ? nullptr : &body, nullptr);
}

Http2Client::Http2Client(SocketAddress address, Options options)
    : state_(std::make_unique<Http2ClientState>()) {
    state_->address = std::move(address);
    state_->options = std::move(options);
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &on_close);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    // What is wrong with a request is for the server to find out.
    nghttp2_option_set_no_http_messaging(option, 1);
    if (state_->options.keep_windows_shut) nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_session_client_new2(&state_->session, callbacks, state_.get(), option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                        state_->options.window};
    nghttp2_submit_settings(state_->session, 0, &window, state_->options.window > 0 ? 1 : 0);
}

Http2Client::~Http2Client() {
    nghttp2_session_del(state_->session);
}

Task<Result<>> Http2Client::init() {
    Result<SocketHandle> socket = reactor().connect(state_->address);
    if (!socket) co_return std::move(socket).error();
    state_->stream.adopt(*socket);
    if (state_->options.tls) state_->stream.secure_with(state_->options.tls->connect("localhost"));
    send();
    co_return state_->stream.watch();
}

void Http2Client::send() {
    Http2ClientState& own = *state_;
    while (true) {
        const std::uint8_t* bytes = nullptr;
        ssize_t size = nghttp2_session_mem_send(own.session, &bytes);
        if (size <= 0) break;
        own.unsent.append(bytes, bytes + size);
    }
    if (own.closed) return;
    const std::size_t piece = own.options.piece > 0 ? own.options.piece : own.unsent.size();
    own.stream.write(std::string_view(own.unsent).substr(0, piece));
    own.unsent.erase(0, piece);
    (void)own.stream.flush();
    if (!own.unsent.empty() && !std::exchange(own.continuing, true))
        send_after(Ref<Http2Client>(self()), Continue{}, std::chrono::milliseconds(1));
}

void Http2Client::handle(Continue) {
    state_->continuing = false;
    send();
}

void Http2Client::handle(Ask message, From<Http2Reply> from) {
    const std::int32_t id = handle(Begin{std::move(message.fields), message.body.empty()});
    if (!message.body.empty()) handle(Send{id, std::move(message.body), true});
    handle(Await{id}, std::move(from));
}

std::int32_t Http2Client::handle(Begin message) {
    const std::int32_t id = state_->submit(std::move(message.fields), message.ends);
    send();
    return id;
}

void Http2Client::handle(Send message) {
    Http2ClientState::Stream& stream = state_->streams[message.stream];
    stream.body.append(message.bytes);
    stream.ends = message.ends;
    stream.trailers = std::move(message.trailers);
    if (std::exchange(stream.waits, false))
        nghttp2_session_resume_data(state_->session, message.stream);
    send();
}

void Http2Client::handle(Reset message) {
    nghttp2_submit_rst_stream(state_->session, 0, message.stream, NGHTTP2_CANCEL);
    send();
}

void Http2Client::handle(Await message, From<Http2Reply> from) {
    Http2ClientState::Stream& stream = state_->streams[message.stream];
    stream.until = std::move(message.text);
    stream.waiting = std::move(from);
    answer_waiting();
}

Http2Reply Http2Client::handle(Look message) {
    return state_->streams[message.stream].reply;
}

void Http2Client::handle(AwaitGoaway, From<std::uint32_t> from) {
    state_->waits_goaway = std::move(from);
    answer_waiting();
}

void Http2Client::handle(AwaitClose, From<bool> from) {
    state_->waits_close = std::move(from);
    answer_waiting();
}

std::int32_t Http2Client::handle(Window message) {
    return nghttp2_session_get_stream_remote_window_size(state_->session, message.stream);
}

void Http2Client::answer_waiting() {
    Http2ClientState& own = *state_;
    for (auto& [id, stream] : own.streams) {
        if (!stream.waiting) continue;
        const bool seen = !stream.until.empty() && stream.reply.body.contains(stream.until);
        if (own.closed || stream.reply.closed || seen) stream.waiting.reply(stream.reply);
    }
    if (own.waits_goaway && (own.closed || own.goaway != no_goaway))
        own.waits_goaway.reply(own.goaway);
    if (own.waits_close && own.closed) own.waits_close.reply(true);
}

void Http2Client::handle_io(std::uint8_t, Readiness ready) {
    Http2ClientState& own = *state_;
    own.stream.note(ready);
    while (!own.closed) {
        TcpStream::Read got = own.stream.read();
        if (got.kind == TcpStream::Read::Kind::would_block) break;
        if (got.kind == TcpStream::Read::Kind::closed) {
            own.closed = true;
            break;
        }
        nghttp2_session_mem_recv(
            own.session, reinterpret_cast<const std::uint8_t*>(got.bytes.data()), got.bytes.size());
        if (got.drained) break;
    }
    send();
    answer_waiting();
}

}  // namespace bennu::net
