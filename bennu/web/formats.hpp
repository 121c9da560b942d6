#pragma once

#include <string>
#include <vector>

#include "bennu/web/plug.hpp"

namespace bennu {

struct ActionFor {
    /// The extension of such a file (`html`, `json`, `csv`), which names the media type, or a type
    /// of one's own (`application/vnd.example+json`).
    std::string format;
    Action action;
};

/// The action of the format that the client wants most, the first of equals:
///
///     router->get("/report", by_format({{"html", page}, {"json", data}, {"csv", table}}));
///
/// `?_format=csv` decides where it is given, as links to a download do; else Accept. One that is
/// not offered: 406 with code `not_acceptable` and the list of those that are. The answer varies by
/// Accept. No formats, one twice, and an extension that is unknown are a fault.
Action by_format(std::vector<ActionFor> actions);

}  // namespace bennu
