#include "bennu/net/client/curl_flow.hpp"

#include <cstring>

#include "bennu/runtime/offload.hpp"

namespace bennu::net {

void CurlFlow::tell(std::unique_lock<std::mutex> lock) {
    // Also when somebody seems to wait, who may have been called off: the next one must not miss
    // it.
    news_ = true;
    const detail::ReplyTo to = std::exchange(waiter_, {});
    lock.unlock();
    if (!to) return;
    detail::post_home(static_cast<std::uint8_t>(to.shard),
                      [to] { detail::send_reply(to, detail::Unit{}); });
}

bool CurlFlow::wait(detail::ReplyTo to) {
    std::lock_guard lock(mutex_);
    if (std::exchange(news_, false)) return false;
    waiter_ = to;
    return true;
}

bool CurlFlow::put(std::string_view piece) {
    std::unique_lock lock(mutex_);
    if (!body_.empty() && body_.size() + piece.size() > most_) {
        stopped_ = true;
        return false;
    }
    body_ += piece;
    tell(std::move(lock));
    return true;
}

void CurlFlow::answer(Result<ClientResponse> answer) {
    std::unique_lock lock(mutex_);
    if (std::exchange(answered_, true)) return;
    answer_.emplace(std::move(answer));
    tell(std::move(lock));
}

void CurlFlow::end(std::optional<Error> error) {
    std::unique_lock lock(mutex_);
    over_ = true;
    error_ = std::move(error);
    tell(std::move(lock));
}

CurlFlow::Fill CurlFlow::fill(char* to, std::size_t room, std::size_t& count) {
    std::unique_lock lock(mutex_);
    count = std::min(room, upload_.size() - sent_);
    if (count > 0) {
        std::memcpy(to, upload_.data() + sent_, count);
        sent_ += count;
        return Fill::some;
    }
    if (upload_over_) return Fill::over;
    upload_wanted_ = true;
    tell(std::move(lock));
    return Fill::wait;
}

std::optional<Result<ClientResponse>> CurlFlow::take_answer() {
    std::lock_guard lock(mutex_);
    return std::exchange(answer_, std::nullopt);
}

bool CurlFlow::wants_upload() {
    std::lock_guard lock(mutex_);
    return upload_wanted_;
}

void CurlFlow::give(std::string piece) {
    std::lock_guard lock(mutex_);
    upload_ = std::move(piece);
    sent_ = 0;
    upload_wanted_ = false;
}

void CurlFlow::upload_ended() {
    std::lock_guard lock(mutex_);
    upload_over_ = true;
    upload_wanted_ = false;
}

CurlFlow::Piece CurlFlow::take() {
    std::lock_guard lock(mutex_);
    Piece piece{.text = std::exchange(body_, {})};
    piece.resume = std::exchange(stopped_, false);
    piece.over = over_;
    if (piece.text.empty()) piece.error = error_;
    return piece;
}

}  // namespace bennu::net
