#pragma once

#include <algorithm>

#include "bennu/web/route_tree.hpp"
#include "bennu/web/router.hpp"

namespace bennu {

namespace detail {
std::string join_segments(std::span<const std::string_view> segments);
/// The patterns of every RoutePath of a site that some code of the program makes links with.
std::vector<std::string_view> linked_paths(const void* site);
}  // namespace detail

/// What a Router holds. Private to this area.
struct Router::State {
    struct Files {
        std::string path;
        std::vector<std::string> prefix;
        StaticFiles files;
        Pipeline plugs;
    };

    /// The file that one of the mounts has for a path.
    void find_file(std::span<const std::string_view> segments, RouteMatch& match) const {
        for (const Files& mount : files) {
            if (segments.size() < mount.prefix.size() ||
                !std::ranges::equal(mount.prefix, segments.first(mount.prefix.size()))) {
                continue;
            }
            match.file =
                mount.files.find(detail::join_segments(segments.subspan(mount.prefix.size())));
            match.file_plugs = &mount.plugs;
            if (match.file) return;
        }
    }

    Pipeline plugs;
    ErrorViews errors;
    std::vector<Route> routes;
    std::vector<Files> files;
    std::vector<std::string> mistakes;
    RouteTree tree;
    std::vector<const void*> linked_sites;  ///< whose links must lead to routes
    bool compiled = false;
};

}  // namespace bennu
