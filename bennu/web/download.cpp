#include "bennu/web/download.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/base/utf8.hpp"
#include "bennu/web/content_type.hpp"

namespace bennu {

namespace {

/// A byte that `filename*` may hold as it is (`attr-char` of RFC 8187).
bool is_attribute_char(char c) {
    return is_ascii_alpha(c) || is_ascii_digit(c) || std::string_view("!#$&+-.^_`|~").contains(c);
}

std::string clean_name(std::string_view filename) {
    std::string name(filename);
    for (char& c : name) {
        if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '_';
    }
    if (!valid_utf8(name)) {
        std::ranges::replace_if(name, [](char c) { return (c & 0x80) != 0; }, '_');
    }
    return name.empty() || name == "." || name == ".." ? "download" : name;
}

Response finish(Response response, const DownloadOptions& options) {
    response.headers.set("content-disposition",
                         content_disposition(options.disposition, options.filename));
    response.headers.set("x-content-type-options", "nosniff");
    response.headers.set("content-security-policy", "default-src 'none'; sandbox");
    return response;
}

std::string_view type_for(const DownloadOptions& options) {
    if (!options.content_type.empty()) return options.content_type;
    return content_type_of(options.filename);
}

}  // namespace

std::string content_disposition(Disposition disposition, std::string_view filename) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string name = clean_name(filename);
    std::string plain, encoded;
    bool ascii = true;
    for (char c : name) {
        auto byte = static_cast<unsigned char>(c);
        // Of a character of several bytes one `_` stays; quotes would end the text, and a percent
        // sign is read as an escape by some.
        if (byte >= 0xc0 || c == '"' || c == '%') plain += '_';
        if (byte < 0x80 && c != '"' && c != '%') plain += c;
        ascii = ascii && byte < 0x80 && c != '"' && c != '%';
        if (is_attribute_char(c)) {
            encoded += c;
        } else {
            encoded += {'%', hex[byte >> 4], hex[byte & 15]};
        }
    }
    std::string out(disposition == Disposition::attachment ? "attachment" : "inline");
    out += "; filename=\"" + plain + "\"";
    if (!ascii) out += "; filename*=UTF-8''" + encoded;
    return out;
}

Response send_download(const Conn&, std::string body, DownloadOptions options) {
    return finish(Response(200, type_for(options), std::move(body)), options);
}

Response send_download(const Conn&, Shared<std::string> body, DownloadOptions options) {
    return finish(Response(200, type_for(options), std::move(body)), options);
}

}  // namespace bennu
