#pragma once

#include <initializer_list>
#include <string_view>

namespace bennu {

/// How much an `Accept-Encoding` header wants a coding, 0 to 1000 (thousandths of q). Without a
/// header only `identity` is wanted; `identity` is acceptable unless refused.
int encoding_quality(std::string_view accept_encoding, std::string_view coding);

/// How much an `Accept` header wants a media type such as `text/html`, 0 to 1000; the most specific
/// range decides. An empty header accepts everything.
int media_quality(std::string_view accept, std::string_view media_type);

/// The offered type that `accept` wants most, the first of equals; empty when it wants none.
std::string_view choose_media(std::string_view accept,
                              std::initializer_list<std::string_view> offered);

/// Whether a browser asks: HTML is named in the header, and nothing else that we speak is wanted
/// more.
bool accepts_html(std::string_view accept);

}  // namespace bennu
