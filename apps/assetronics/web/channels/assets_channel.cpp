#include "apps/assetronics/web/channels/assets_channel.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

struct View {
    std::string page;
};
BENNU_RECORD(View, page)

constexpr std::size_t longest_page = 200;

}  // namespace

Task<> AssetsChannel::after_join() {
    online_at_ = wall_now();
    show_viewer();
    push_presence_state();
    co_return;
}

Task<Reply> AssetsChannel::handle_in(Event event, Json payload) {
    if (event != "view") co_return unknown(event);
    Result<View> view = payload_as<View>(payload);
    if (!view) co_return view.error();
    if (view->page.size() > longest_page) {
        co_return Error::field("page", "too_long", "must be at most 200 bytes long");
    }
    page_ = std::move(view->page);
    show_viewer();
    co_return Reply::ok();
}

void AssetsChannel::show_viewer() {
    track(assigns()["viewer"].as_string(), Json::object({{"name", assigns()["name"]},
                                                         {"page", page_},
                                                         {"online_at", to_string(online_at_)}}));
}

}  // namespace assetronics::web
