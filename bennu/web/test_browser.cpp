#include "bennu/web/test_browser.hpp"

#include "bennu/base/ascii.hpp"

namespace bennu {

TestRequest TestBrowser::with_cookies(TestRequest request) const {
    std::string header;
    for (const auto& [name, value] : cookies_) {
        header += (header.empty() ? "" : "; ") + name + "=" + value;
    }
    if (!header.empty()) request.headers.emplace_back("cookie", header);
    return request;
}

void TestBrowser::keep(const TestResponse& response) {
    for (auto [name, value] : response.headers) {
        if (!iequals(name, "set-cookie")) continue;
        std::size_t equals = value.find('=');
        std::string cookie(value.substr(0, equals));
        std::string_view text = value.substr(equals + 1);
        text = text.substr(0, text.find(';'));
        if (value.contains("Max-Age=0")) {
            cookies_.erase(cookie);
        } else {
            cookies_[cookie] = text;
        }
    }
}

Task<TestResponse> TestBrowser::request(TestRequest request) {
    TestResponse response = co_await client_.request(with_cookies(std::move(request)));
    keep(response);
    co_return response;
}

TestResponse TestBrowser::send(TestRequest request) {
    TestResponse response = client_.send(with_cookies(std::move(request)));
    keep(response);
    return response;
}

}  // namespace bennu
