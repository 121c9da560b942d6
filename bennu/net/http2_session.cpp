#include "bennu/net/http2_session.hpp"

#include <nghttp2/nghttp2.h>

#include <cstring>
#include <exception>
#include <new>
#include <unordered_map>

#include "bennu/net/allowance.hpp"
#include "bennu/net/freed.hpp"
#include "bennu/net/http2_frame_heads.hpp"
#include "bennu/net/http2_response_fields.hpp"
#include "bennu/net/http2_stream_state.hpp"

namespace bennu::net {

namespace {

/// A client whose header block goes so far over the limit is not answered politely any more:
/// decoding costs us more than it costs the client.
constexpr std::uint64_t far_over_limit = 4;
/// Frames that wait for a client which does not read, beside those of its requests.
constexpr std::size_t most_waiting_frames = 200;
constexpr std::size_t most_waiting_acknowledgements = 100;
/// Window updates that one frame of ours may be answered with: its stream's and the connection's.
constexpr double updates_for_answer = 2;

using SessionPtr = std::unique_ptr<nghttp2_session, Freed<nghttp2_session_del>>;
using CallbacksPtr =
    std::unique_ptr<nghttp2_session_callbacks, Freed<nghttp2_session_callbacks_del>>;
using OptionPtr = std::unique_ptr<nghttp2_option, Freed<nghttp2_option_del>>;

/// Failures of nghttp2 that are not the peer's.
void check(int outcome) {
    if (outcome == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
}

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

using Stream = Http2StreamState;

/// The texts must live until the field is submitted.
nghttp2_nv make_field(std::string_view name, std::string_view value) {
    // nghttp2 copies; its struct just has no const.
    auto bytes = [](std::string_view text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::vector<nghttp2_nv> list_of(const Http2ResponseFields& fields) {
    std::vector<nghttp2_nv> list;
    list.reserve(fields.all().size());
    for (auto [name, value] : fields.all()) list.push_back(make_field(name, value));
    return list;
}

}  // namespace

struct Http2SessionState {
    Http2SessionState(const Http2Limits& l, const Http1Limits& h, Http2Events& e)
        : limits(&l),
          head_limits(&h),
          events(&e),
          resets(l.resets, l.resets_per_second),
          idle_frames(l.idle_frames, l.idle_frames_per_second) {}

    const Http2Limits* limits;
    const Http1Limits* head_limits;
    Http2Events* events;
    SessionPtr session;
    std::unordered_map<Http2StreamId, std::unique_ptr<Stream>> streams;
    Http2FrameHeads heads;
    Allowance resets;
    Allowance idle_frames;
    Instant now;
    std::exception_ptr fault;  ///< thrown in a callback: it must not pass through C
    bool begun = false;
    bool calm = false;  ///< the client went over a limit
    bool ending = false;
    bool leaving = false;  ///< the client said that it ends the connection

    Stream* find(Http2StreamId id) const {
        auto found = streams.find(id);
        return found == streams.end() ? nullptr : found->second.get();
    }

    /// Runs what a callback of nghttp2 does.
    template <typename Code>
    int guarded(Code code) {
        try {
            code();
        } catch (...) {
            fault = std::current_exception();
        }
        return fault || calm ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }
    void rethrow() {
        if (fault) std::rethrow_exception(std::exchange(fault, nullptr));
    }

    void frame_begins(const nghttp2_frame_hd& head);
    void field(const nghttp2_frame& frame, std::string_view name, std::string_view value);
    void frame_received(const nghttp2_frame& frame);
    void frame_sent(const nghttp2_frame& frame);
    void closed(Http2StreamId id);
    ssize_t read_body(Http2StreamId id, std::span<std::uint8_t> into, std::uint32_t& flags);
    void resume(Http2StreamId id, OutgoingBody& out);
    void terminate(std::uint32_t code);
};

void Http2SessionState::frame_begins(const nghttp2_frame_hd& head) {
    const bool idle = head.type == NGHTTP2_SETTINGS || head.type == NGHTTP2_PING ||
                      head.type == NGHTTP2_PRIORITY || head.type == NGHTTP2_WINDOW_UPDATE;
    if (idle && !idle_frames.spend(now)) calm = true;
    if (head.type == NGHTTP2_RST_STREAM && !resets.spend(now)) calm = true;
}

void Http2SessionState::field(const nghttp2_frame& frame, std::string_view name,
                              std::string_view value) {
    Stream* stream = find(frame.hd.stream_id);
    if (!stream) return;
    if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
        stream->head.add(name, value);
        if (stream->head.size() > far_over_limit * head_limits->header_bytes) calm = true;
        return;
    }
    stream->trailers.add(name, value);
    if (stream->trailers.size() > far_over_limit * head_limits->header_bytes) calm = true;
}

void Http2SessionState::frame_received(const nghttp2_frame& frame) {
    const bool ended = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame.hd.type == NGHTTP2_SETTINGS) begun = true;
    if (frame.hd.type == NGHTTP2_GOAWAY) leaving = true;
    if (frame.hd.type == NGHTTP2_DATA && !ended && frame.hd.length <= frame.data.padlen &&
        !idle_frames.spend(now)) {
        calm = true;
    }
    if (frame.hd.type != NGHTTP2_DATA && frame.hd.type != NGHTTP2_HEADERS) return;
    Stream* stream = find(frame.hd.stream_id);
    if (!stream) return;
    if (!std::exchange(stream->requested, true)) {
        RequestHead head;
        if (const Http1Refusal* refusal = stream->head.finish(!ended, head)) {
            events->refused({.stream = frame.hd.stream_id,
                             .refusal = *refusal,
                             .method = stream->head.method(),
                             .path = stream->head.path()});
        } else {
            stream->connect = head.websocket_stream;
            events->request(frame.hd.stream_id, std::move(head));
        }
    } else if (stream->connect && frame.hd.type == NGHTTP2_HEADERS) {
        check(nghttp2_submit_rst_stream(session.get(), 0, frame.hd.stream_id,
                                        NGHTTP2_PROTOCOL_ERROR));
    } else if (ended) {
        events->body_ended(frame.hd.stream_id, stream->trailers.take());
    }
}

void Http2SessionState::frame_sent(const nghttp2_frame& frame) {
    const bool ended = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame.hd.type == NGHTTP2_DATA || frame.hd.type == NGHTTP2_HEADERS)
        idle_frames.give(updates_for_answer);
    if (frame.hd.type == NGHTTP2_RST_STREAM) {
        // A client may also make us reset its streams, with frames that are wrong.
        const std::uint32_t code = frame.rst_stream.error_code;
        const bool ours = code == NGHTTP2_NO_ERROR || code == NGHTTP2_CANCEL ||
                          code == NGHTTP2_INTERNAL_ERROR || code == NGHTTP2_HTTP_1_1_REQUIRED;
        if (!ours && !resets.spend(now)) calm = true;
    }
    if ((frame.hd.type == NGHTTP2_DATA || frame.hd.type == NGHTTP2_HEADERS) && ended &&
        nghttp2_session_get_stream_remote_close(session.get(), frame.hd.stream_id) == 0) {
        const Stream* stream = find(frame.hd.stream_id);
        if (stream && stream->tunnel) return;
        // The answer is complete: nobody wants the rest of the request.
        check(nghttp2_submit_rst_stream(session.get(), 0, frame.hd.stream_id, NGHTTP2_NO_ERROR));
    }
}

void Http2SessionState::closed(Http2StreamId id) {
    auto found = streams.find(id);
    if (found == streams.end()) return;
    const bool requested = found->second->requested;
    streams.erase(found);
    if (requested) events->closed(id);
}

ssize_t Http2SessionState::read_body(Http2StreamId id, std::span<std::uint8_t> into,
                                     std::uint32_t& flags) {
    Stream* stream = find(id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    OutgoingBody& out = stream->out;
    std::string_view rest = out.rest();
    if (rest.empty() && !out.ended) {
        out.waits = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    std::size_t count = std::min(rest.size(), into.size());
    if (count > 0) std::memcpy(into.data(), rest.data(), count);
    out.took(count, now);
    if (count == rest.size() && out.ended) {
        flags |= NGHTTP2_DATA_FLAG_EOF;
        if (stream->out_trailers) {
            flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            const std::unique_ptr<const Headers> trailers = std::move(stream->out_trailers);
            const Http2ResponseFields fields(*trailers);
            const std::vector<nghttp2_nv> list = list_of(fields);
            check(nghttp2_submit_trailer(session.get(), id, list.data(), list.size()));
        }
    }
    events->sent(id);
    return static_cast<ssize_t>(count);
}

void Http2SessionState::resume(Http2StreamId id, OutgoingBody& out) {
    if (std::exchange(out.waits, false)) check(nghttp2_session_resume_data(session.get(), id));
}

void Http2SessionState::terminate(std::uint32_t code) {
    ending = true;
    check(nghttp2_session_terminate_session(session.get(), code));
}

namespace {

Http2SessionState* state_of(void* user) {
    return static_cast<Http2SessionState*>(user);
}

int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    return state_of(user)->guarded([&] { state_of(user)->frame_begins(*head); });
}

int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto* state = state_of(user);
    return state->guarded([&] {
        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return;
        if (state->leaving) {
            // nghttp2 drops them only when nothing else is open.
            check(nghttp2_submit_rst_stream(state->session.get(), 0, frame->hd.stream_id,
                                            NGHTTP2_REFUSED_STREAM));
            return;
        }
        state->streams.emplace(frame->hd.stream_id, std::make_unique<Stream>(*state->head_limits));
    });
}

int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
              std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
              std::uint8_t, void* user) {
    return state_of(user)->guarded(
        [&] { state_of(user)->field(*frame, view(name, name_size), view(value, value_size)); });
}

int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    return state_of(user)->guarded([&] { state_of(user)->frame_received(*frame); });
}

int on_frame_send(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto* state = state_of(user);
    (void)state->guarded([&] { state->frame_sent(*frame); });
    return 0;  // `pull` looks at what came of it
}

int on_data_chunk(nghttp2_session* session, std::uint8_t, std::int32_t id,
                  const std::uint8_t* bytes, std::size_t size, void* user) {
    auto* state = state_of(user);
    return state->guarded([&] {
        // One slow stream must not hold up the others: the connection's window is only for what is
        // on its way.
        check(nghttp2_session_consume_connection(session, size));
        if (!state->find(id)) return;
        state->events->body(id, view(bytes, size));
    });
}

int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    auto* state = state_of(user);
    (void)state->guarded([&] { state->closed(id); });
    return 0;
}

ssize_t read_body(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t size,
                  std::uint32_t* flags, nghttp2_data_source*, void* user) {
    auto* state = state_of(user);
    ssize_t count = NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    (void)state->guarded([&] { count = state->read_body(id, {into, size}, *flags); });
    return count;
}

nghttp2_session_callbacks* callbacks() {
    static const CallbacksPtr made = [] {
        nghttp2_session_callbacks* all = nullptr;
        check(nghttp2_session_callbacks_new(&all));
        nghttp2_session_callbacks_set_on_begin_frame_callback(all, &on_begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(all, &on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(all, &on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(all, &on_frame_recv);
        nghttp2_session_callbacks_set_on_frame_send_callback(all, &on_frame_send);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(all, &on_data_chunk);
        nghttp2_session_callbacks_set_on_stream_close_callback(all, &on_stream_close);
        return CallbacksPtr(all);
    }();
    return made.get();
}

const nghttp2_option* option() {
    static const OptionPtr made = [] {
        nghttp2_option* all = nullptr;
        check(nghttp2_option_new(&all));
        nghttp2_option_set_no_auto_window_update(all, 1);
        nghttp2_option_set_no_closed_streams(all, 1);
        nghttp2_option_set_max_outbound_ack(all, most_waiting_acknowledgements);
        // Ours counts more, and says ENHANCE_YOUR_CALM.
        nghttp2_option_set_stream_reset_rate_limit(all, 1'000'000, 1'000'000);
        return OptionPtr(all);
    }();
    return made.get();
}

/// The client did more than any honest one needs to.
bool is_flood(ssize_t error) {
    return error == NGHTTP2_ERR_FLOODED || error == NGHTTP2_ERR_TOO_MANY_SETTINGS ||
           error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
}

}  // namespace

Http2Session::Http2Session(const Http2Limits& limits, const Http1Limits& head_limits,
                           Http2Events& events)
    : state_(std::make_unique<Http2SessionState>(limits, head_limits, events)) {
    nghttp2_session* session = nullptr;
    check(nghttp2_session_server_new2(&session, callbacks(), state_.get(), option()));
    state_->session.reset(session);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head_limits.header_bytes},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        // Always: which requests may become a WebSocket is known to the handler alone.
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
    };
    check(nghttp2_submit_settings(session, 0, settings, std::size(settings)));
    check(nghttp2_session_set_local_window_size(
        session, 0, 0, static_cast<std::int32_t>(limits.connection_window)));
}

Http2Session::~Http2Session() = default;

bool Http2Session::receive(std::string_view bytes, Instant now) {
    Http2SessionState& own = *state_;
    own.now = now;
    if (own.ending) return false;
    ssize_t used = 0;
    own.heads.feed(
        bytes,
        [&](std::uint8_t type) {
            // nghttp2 skips frames that it does not know without a word.
            if (type > NGHTTP2_CONTINUATION && !own.idle_frames.spend(now)) own.calm = true;
        },
        [&](std::string_view piece) {
            used = nghttp2_session_mem_recv(own.session.get(),
                                            reinterpret_cast<const std::uint8_t*>(piece.data()),
                                            piece.size());
            return used >= 0;
        });
    own.rethrow();
    if (used == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
    if (nghttp2_session_get_outbound_queue_size(own.session.get()) >
        most_waiting_frames + 2UZ * own.limits->streams) {
        own.calm = true;
    }
    if (own.calm || is_flood(used)) {
        own.terminate(NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (used < 0) {
        own.terminate(NGHTTP2_PROTOCOL_ERROR);
    }
    return !own.ending;
}

std::string_view Http2Session::pull(Instant now) {
    Http2SessionState& own = *state_;
    own.now = now;
    const std::uint8_t* bytes = nullptr;
    ssize_t size = nghttp2_session_mem_send(own.session.get(), &bytes);
    own.rethrow();
    if (size == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
    if (own.calm && !own.ending) own.terminate(NGHTTP2_ENHANCE_YOUR_CALM);
    return size > 0 ? view(bytes, static_cast<std::size_t>(size)) : std::string_view();
}

bool Http2Session::over() const {
    return nghttp2_session_want_read(state_->session.get()) == 0 &&
           nghttp2_session_want_write(state_->session.get()) == 0;
}

bool Http2Session::begun() const {
    return state_->begun;
}

std::size_t Http2Session::open_streams() const {
    return state_->streams.size();
}

void Http2Session::respond(Http2StreamId id, int status, const Headers& headers,
                           const Answer& answer) {
    Stream* stream = state_->find(id);
    if (!stream) return;
    stream->tunnel = answer.body == Answer::Body::tunnel;
    Http2ResponseFields fields(status, headers);
    if (answer.length && status != 204 && status != 304) fields.add_length(*answer.length);
    if (!answer.date.empty()) fields.add("date", answer.date);
    const nghttp2_data_provider body{.source = {}, .read_callback = &read_body};
    const std::vector<nghttp2_nv> list = list_of(fields);
    check(nghttp2_submit_response(state_->session.get(), id, list.data(), list.size(),
                                  answer.body == Answer::Body::none ? nullptr : &body));
}

void Http2Session::write(Http2StreamId id, std::string text) {
    Stream* stream = state_->find(id);
    if (!stream || text.empty()) return;
    stream->out.append(std::move(text));
    state_->resume(id, stream->out);
}

void Http2Session::write(Http2StreamId id, Shared<std::string> text) {
    Stream* stream = state_->find(id);
    if (!stream || !text || text->empty()) return;
    stream->out.shared = std::move(text);
    state_->resume(id, stream->out);
}

void Http2Session::end(Http2StreamId id, const Headers* trailers) {
    Stream* stream = state_->find(id);
    if (!stream) return;
    if (trailers) stream->out_trailers = std::make_unique<const Headers>(*trailers);
    stream->out.ended = true;
    state_->resume(id, stream->out);
}

void Http2Session::send_continue(Http2StreamId id) {
    if (!state_->find(id)) return;
    const nghttp2_nv status = make_field(":status", "100");
    check(nghttp2_submit_headers(state_->session.get(), 0, id, nullptr, &status, 1, nullptr));
}

void Http2Session::inform(Http2StreamId id, int status, const Headers& headers) {
    nghttp2_session* session = state_->session.get();
    if (!state_->find(id) || nghttp2_session_get_outbound_queue_size(session) > most_waiting_frames)
        return;
    const Http2ResponseFields fields(status, headers);
    const std::vector<nghttp2_nv> list = list_of(fields);
    check(nghttp2_submit_headers(session, 0, id, nullptr, list.data(), list.size(), nullptr));
}

void Http2Session::reset(Http2StreamId id, Http2Code code) {
    if (!state_->find(id)) return;
    check(
        nghttp2_submit_rst_stream(state_->session.get(), 0, id, static_cast<std::uint32_t>(code)));
}

void Http2Session::consumed(Http2StreamId id, std::size_t bytes) {
    check(nghttp2_session_consume_stream(state_->session.get(), id, bytes));
}

std::size_t Http2Session::unsent(Http2StreamId id) const {
    const Stream* stream = state_->find(id);
    return stream ? stream->out.rest().size() : 0;
}

std::vector<Http2StreamId> Http2Session::stalled(Instant now, Duration patience) {
    std::vector<Http2StreamId> stalled;
    for (auto& [id, stream] : state_->streams) {
        if (stream->out.stalls(now, patience)) stalled.push_back(id);
    }
    return stalled;
}

void Http2Session::announce_end() {
    check(nghttp2_submit_shutdown_notice(state_->session.get()));
}

void Http2Session::refuse_new_streams() {
    nghttp2_session* session = state_->session.get();
    check(nghttp2_submit_goaway(session, 0, nghttp2_session_get_last_proc_stream_id(session),
                                NGHTTP2_NO_ERROR, nullptr, 0));
}

void Http2Session::terminate(Http2Code code) {
    state_->terminate(static_cast<std::uint32_t>(code));
}

}  // namespace bennu::net
