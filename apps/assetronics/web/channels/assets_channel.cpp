#include "apps/assetronics/web/channels/assets_channel.hpp"

#include "apps/assetronics/lib/assets/assets.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

/// One tab that looks at this company.
struct Viewer {
    std::string name;
    std::string page;
    Timestamp online_at;
};
BENNU_RECORD(Viewer, name, page, online_at)

constexpr std::size_t longest_page = 200;

}  // namespace

ChannelTypes AssetsChannel::types() {
    return ChannelTypes("AssetsChannel")
        .on<&AssetsChannel::view>("view")
        .sends<assets::AssetChanged>("asset_created")
        .sends<assets::AssetChanged>("asset_updated")
        .sends<assets::AssetDeleted>("asset_deleted")
        .sends<assets::AssetHandedOver>("asset_assigned")
        .sends<assets::AssetHandedOver>("asset_returned")
        .sends<assets::AssetsImported>("assets_imported")
        .tracks<Viewer>();
}

Task<> AssetsChannel::after_join() {
    online_at_ = wall_now();
    show_viewer();
    push_presence_state();
    co_return;
}

Result<> AssetsChannel::view(View view) {
    if (view.page.size() > longest_page) {
        return Error::field("page", "too_long", "must be at most 200 bytes long");
    }
    page_ = std::move(view.page);
    show_viewer();
    return {};
}

void AssetsChannel::show_viewer() {
    track(assigns()["viewer"].as_string(),
          Viewer{std::string(assigns()["name"].as_string()), page_, online_at_});
}

}  // namespace assetronics::web
