#include "bennu/runtime/launcher/hub_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "bennu/base/log.hpp"
#include "bennu/base/random.hpp"
#include "bennu/runtime/launcher/launcher.hpp"

namespace bennu {

namespace {

std::string unguessable() {
    return fmt::format("{:016x}{:016x}", secure_random_u64(), secure_random_u64());
}

}  // namespace

HubProcess::~HubProcess() {
    if (listener_ >= 0) ::close(listener_);
}

Result<> HubProcess::open() {
    address_ = "unix:@bennu-" + unguessable();
    token_ = unguessable();
    auto opened = open_listener({.host = address_});
    if (!opened) return std::move(opened).error();
    listener_ = out_of_the_way(*opened);
    return {};
}

void HubProcess::adopt(const Handover& handover, const NamedDescriptors& given,
                       const HangLimits& hangs) {
    listener_ = out_of_the_way(descriptor_of(given, "hub"));
    address_ = handover.hub_address;
    token_ = handover.hub_token;
    if (handover.hub > 0) {
        process_ = NodeProcess::adopt(handover.hub, descriptor_of(given, "hub_control"),
                                      descriptor_of(given, "hub_page"), hangs);
    }
}

void HubProcess::hand_over(Handover& handover, NamedDescriptors& descriptors) const {
    if (listener_ < 0) return;
    handover.hub_address = address_;
    handover.hub_token = token_;
    descriptors.emplace_back("hub", listener_);
    if (!process_ || process_->control() < 0) return;
    handover.hub = process_->pid();
    descriptors.emplace_back("hub_control", process_->control());
    descriptors.emplace_back("hub_page", process_->page_descriptor());
}

void HubProcess::look(Instant now, const HangLimits& hangs) {
    if (listener_ < 0) return;
    if (process_) {
        process_->listen();
        process_->look(now);
        if (process_->ended()) {
            if (!stopping_) {
                log_error("the hub between the nodes ended unexpectedly; starting it again",
                          {{"said", process_->said()}});
            }
            start_at_ = now + policy_.ended(process_->started(), now).delay;
            process_ = nullptr;
        }
    }
    if (!process_ && !stopping_ && now >= start_at_) {
        process_ = NodeProcess::start(
            listener_, {.kind = ChildRole::Kind::hub, .hub_address = address_, .hub_token = token_},
            hangs);
    }
}

Instant HubProcess::look_at() const {
    if (listener_ < 0) return Instant::max();
    if (process_) return process_->look_at();
    return stopping_ ? Instant::max() : start_at_;
}

void HubProcess::stop(Duration grace) {
    stopping_ = true;
    if (process_) process_->stop(grace);
}

void HubProcess::kill() {
    stopping_ = true;
    if (process_) process_->kill();
}

}  // namespace bennu
