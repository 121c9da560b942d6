#include <gtest/gtest.h>

#include "bennu/base/ascii.hpp"
#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"
#include "bennu/base/plain_text.hpp"
#include "bennu/base/random.hpp"
#include "bennu/base/secret.hpp"
#include "bennu/base/shared_text.hpp"
#include "bennu/base/utf8.hpp"

namespace bennu {
namespace text_tests {

std::string random_bytes(Random& random, std::size_t most) {
    std::string bytes(random.below(most + 1), '\0');
    for (char& c : bytes) c = static_cast<char>(random.next());
    return bytes;
}

TEST(Bytes, SharesAndSlices) {
    std::string text = "a payload that is longer than any inline string";
    const char* buffer = text.data();
    const Bytes bytes(std::move(text));
    EXPECT_EQ(bytes.data(), buffer);
    const Bytes part = bytes.slice(2, 7);
    EXPECT_EQ(part.view(), "payload");
    EXPECT_EQ(part.data(), buffer + 2);
    EXPECT_EQ(bytes.slice(1000).view(), "");
    EXPECT_EQ(bytes.slice(part.size(), 0).size(), 0u);
    EXPECT_EQ(part, Bytes::from_static("payload"));
    EXPECT_TRUE(Bytes().empty());
    Bytes survivor;
    {
        const Bytes gone = Bytes::copy("short");
        survivor = gone.slice(1);
    }
    EXPECT_EQ(survivor.view(), "hort");
}

TEST(Shared, CountsOwners) {
    struct Probe {
        explicit Probe(int& alive) : alive(alive) { ++alive; }
        Probe(const Probe&) = delete;
        ~Probe() { --alive; }
        int& alive;
    };
    int alive = 0;
    {
        Shared<Probe> a = make_shared_value<Probe>(alive);
        Shared<Probe> b = a;
        EXPECT_EQ(a.use_count(), 2u);
        EXPECT_EQ(a, b);
        a = nullptr;
        EXPECT_EQ(alive, 1);
        Shared<Probe> c = std::move(b);
        EXPECT_FALSE(b);  // NOLINT: empty after a move by contract
        c = *&c;
        EXPECT_EQ(c.use_count(), 1u);
    }
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(sizeof(Shared<Probe>), sizeof(void*));
}

TEST(Encoding, KnownAnswers) {
    EXPECT_EQ(hex_encode("\x01\xab\xff"), "01abff");
    EXPECT_EQ(hex_decode("01ABff").value(), "\x01\xab\xff");
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(base64_encode(plain), encoded);
        EXPECT_EQ(base64_decode(encoded).value(), plain);
    }
    EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
}

TEST(Encoding, IsStrict) {
    for (const char* text : {"Zg", "Zg=", "Zh==", "Zm9", "Zm9=", "Z===", "====", "Zg==Zg==",
                             "Zm 9v", "-_8=", "Zm9v\n", "=Zm9"}) {
        EXPECT_FALSE(base64_decode(text)) << text;
    }
    for (const char* text : {"Z", "Zh", "Zg==", "+/8", "Zm9v "}) {
        EXPECT_FALSE(base64url_decode(text)) << text;
    }
    for (const char* text : {"0", "0g", "0x", " 00"}) EXPECT_FALSE(hex_decode(text)) << text;
}

TEST(Encoding, RandomBytesSurviveARoundTrip) {
    Random random(5);
    for (int i = 0; i < 2'000; ++i) {
        const std::string bytes = random_bytes(random, 40);
        ASSERT_EQ(base64_decode(base64_encode(bytes)).value(), bytes);
        ASSERT_EQ(base64url_decode(base64url_encode(bytes)).value(), bytes);
        ASSERT_EQ(hex_decode(hex_encode(bytes)).value(), bytes);
    }
}

TEST(Utf8, AcceptsAndRefuses) {
    for (const char* text :
         {"", "ascii only, long enough for words", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
          "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(valid_utf8(text)) << text;
    }
    for (const char* text : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xe2\x82",
                             "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                             "\xf5\x80\x80\x80", "\xff", "12345678\x80", "\xc3("}) {
        EXPECT_FALSE(valid_utf8(text)) << text;
    }
    EXPECT_EQ(count_code_points("a\xc3\xa9\xf0\x9f\x98\x80"), 3u);
}

TEST(Utf8, StreamsLikeTheWhole) {
    Random random(11);
    for (int i = 0; i < 5'000; ++i) {
        std::string text;
        for (std::uint64_t n = random.below(12); n > 0; --n) {
            append_utf8(text,
                        static_cast<char32_t>(random.below(random.chance(0.5) ? 128 : 0x110000)));
        }
        if (!text.empty() && random.chance(0.5)) {
            text[random.below(text.size())] = static_cast<char>(random.next());
        }
        Utf8Validator validator;
        bool fine = true;
        for (std::string_view rest = text; !rest.empty();) {
            const std::size_t n = 1 + random.below(rest.size());
            fine = validator.feed(rest.substr(0, n));
            rest.remove_prefix(n);
        }
        ASSERT_EQ(fine && validator.complete(), valid_utf8(text));
        ASSERT_TRUE(valid_utf8(repair_utf8(text)));
        if (valid_utf8(text)) {
            ASSERT_EQ(repair_utf8(text), text);
        }
    }
    Utf8Validator validator;
    EXPECT_FALSE(validator.feed("\xff"));
    EXPECT_FALSE(validator.feed("fine"));
    validator.reset();
    EXPECT_TRUE(validator.feed("\xe2\x82"));
    EXPECT_FALSE(validator.complete());
}

template <char... Special>
std::size_t plain_bytes(std::string_view text) {
    const auto plain = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte < 0x7f && ((c != Special) && ...);
    };
    return static_cast<std::size_t>(std::ranges::find_if_not(text, plain) - text.begin());
}

TEST(PlainRun, FindsEachByteAtEachPlaceOfEachLength) {
    for (std::size_t size = 0; size <= 50; ++size) {
        std::string text(size, 'x');
        EXPECT_EQ((plain_run<'"', '\\'>(text)), size);
        for (std::size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                text[at] = static_cast<char>(byte);
                EXPECT_EQ(plain_run(text), plain_bytes(text)) << size << ' ' << at << ' ' << byte;
                EXPECT_EQ((plain_run<'"', '\\'>(text)), (plain_bytes<'"', '\\'>(text)))
                    << size << ' ' << at << ' ' << byte;
            }
            text[at] = 'x';
        }
    }
}

TEST(PlainRun, AgreesOnRandomBytes) {
    Random random(11);
    for (int round = 0; round < 20'000; ++round) {
        std::string text = random_bytes(random, 40);
        // Mostly ASCII, so that runs are long.
        for (char& c : text) {
            if (random.below(12) > 0) c = static_cast<char>('!' + random.below(90));
        }
        EXPECT_EQ((plain_run<' ', '"', '=', '\\'>(text)), (plain_bytes<' ', '"', '=', '\\'>(text)));
    }
}

TEST(SharedText, IsHeldByMany) {
    const SharedText text = std::string("device:17");
    SharedText copy = text, moved = std::move(copy);
    EXPECT_TRUE(copy.empty());
    EXPECT_EQ(moved, text);
    EXPECT_EQ(moved.view().data(), text.view().data());
    EXPECT_EQ(text, "device:17");
    EXPECT_FALSE(text == std::string_view("device:18"));
    EXPECT_EQ(text.str() + "!", "device:17!");
    EXPECT_EQ(SharedText::Hash()(text), SharedText::Hash()("device:17"));
    moved = SharedText("");
    EXPECT_TRUE(moved.empty());
    EXPECT_EQ(moved, SharedText());
    EXPECT_EQ(moved.size(), 0u);
}

TEST(Ascii, Helpers) {
    EXPECT_TRUE(iequals("Content-Type", "content-tYPE"));
    EXPECT_FALSE(iequals("a", "ab"));
    EXPECT_FALSE(iequals("[", "{"));
    EXPECT_EQ(trim(" \t x y\r\n"), "x y");
    EXPECT_EQ(trim("  "), "");
    EXPECT_EQ(to_lower("AbC-\xc3\x89"), "abc-\xc3\x89");
}

TEST(Crypto, KnownAnswers) {
    EXPECT_EQ(hex_encode(as_text(sha1("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(hex_encode(as_text(sha256(""))),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex_encode(as_text(hmac_sha256("Jefe", "what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex_encode(as_text(hmac_sha256("", ""))),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    // The example of RFC 6455: what every WebSocket handshake depends on.
    EXPECT_EQ(base64_encode(
                  as_text(sha1("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))),
              "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_TRUE(constant_time_equal("same", "same"));
    EXPECT_FALSE(constant_time_equal("same", "sane"));
    EXPECT_FALSE(constant_time_equal("same", "same!"));
}

TEST(Random, IsReproducibleAndFair) {
    Random a(1), b(1), c(2);
    EXPECT_EQ(a.next(), b.next());
    EXPECT_NE(a.next(), c.next());
    std::array<int, 7> counts{};
    for (int i = 0; i < 70'000; ++i) ++counts[a.below(7)];
    for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
    for (int i = 0; i < 1'000; ++i) {
        const double u = a.uniform();
        ASSERT_TRUE(u >= 0 && u < 1);
        const std::int64_t n = a.between(-3, 3);
        ASSERT_TRUE(n >= -3 && n <= 3);
    }
    EXPECT_EQ(a.below(1), 0u);
    EXPECT_NE(secure_random_u64(), secure_random_u64());
}

TEST(Secret, ComparesWithoutShowing) {
    const Secret secret("hunter2");
    Secret moved = secret;
    const Secret taken = std::move(moved);
    EXPECT_EQ(taken, secret);
    EXPECT_EQ(taken.reveal(), "hunter2");
    EXPECT_TRUE(moved.empty());  // NOLINT: empty after a move by contract
}

}  // namespace text_tests
}  // namespace bennu
