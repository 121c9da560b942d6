#include "bennu/net/client/client_url.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <charconv>
#include <memory>

#include "bennu/base/ascii.hpp"

namespace bennu::net {

namespace {

using Handle = std::unique_ptr<CURLU, void (*)(CURLU*)>;

Error bad_url(const char* why) {
    return Error(ErrorKind::invalid, "bad_url", why);
}

std::string part(const Handle& url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
}

/// The authority's host as it was written.
std::string_view written_host(std::string_view url) {
    std::size_t begin = url.find("://");
    if (begin == std::string_view::npos) return {};
    url.remove_prefix(begin + 3);
    url = url.substr(0, url.find_first_of("/?#\\"));
    if (std::size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
    if (url.starts_with('[')) return url.substr(0, url.find(']') + 1);
    return url.substr(0, url.find(':'));
}

bool same_letters(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
               return std::tolower(x) == std::tolower(y);
           });
}

}  // namespace

std::string ClientUrl::origin() const {
    bool v6 = host.find(':') != std::string::npos;
    return scheme + "://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ClientUrl> parse_client_url(std::string_view text) {
    for (unsigned char c : text) {
        if (c <= ' ' || c == 0x7f || c == '\\')
            return bad_url("a URL holds no spaces, control characters or backslashes");
    }
    Handle url(curl_url(), curl_url_cleanup);
    if (!url) throw std::bad_alloc();
    if (curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(),
                     CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return bad_url("the URL cannot be read");
    ClientUrl parsed{.scheme = part(url, CURLUPART_SCHEME),
                     .user = part(url, CURLUPART_USER) + part(url, CURLUPART_PASSWORD),
                     .host = part(url, CURLUPART_HOST),
                     .path = part(url, CURLUPART_PATH),
                     .query = part(url, CURLUPART_QUERY)};
    if (parsed.scheme != "http" && parsed.scheme != "https")
        return bad_url("only http and https are spoken");
    if (parsed.host.empty()) return bad_url("the URL has no host");
    parsed.plain_host = same_letters(parsed.host, written_host(text));
    for (char& c : parsed.host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (parsed.host.starts_with('[')) parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
    std::string port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::from_chars(port.data(), port.data() + port.size(), parsed.port);
    if (parsed.port == 0) return bad_url("the URL's port is none");
    return parsed;
}

Result<std::string> resolve_client_url(std::string_view base, std::string_view reference) {
    Handle url(curl_url(), curl_url_cleanup);
    if (!url) throw std::bad_alloc();
    if (curl_url_set(url.get(), CURLUPART_URL, std::string(base).c_str(), 0) != CURLUE_OK ||
        curl_url_set(url.get(), CURLUPART_URL, std::string(reference).c_str(), 0) != CURLUE_OK)
        return bad_url("the reference cannot be read");
    return part(url, CURLUPART_URL);
}

std::string with_query(std::string url, std::string_view query) {
    if (query.empty()) return url;
    if (std::size_t at = url.find('#'); at != std::string::npos) url.resize(at);
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += query;
    return url;
}

}  // namespace bennu::net
