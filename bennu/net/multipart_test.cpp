#include "bennu/net/multipart.hpp"

#include <gtest/gtest.h>

namespace bennu::net {
namespace multipart_test {

using namespace std::string_literals;

std::string trace(const std::vector<std::string_view>& pieces, MultipartLimits limits) {
    MultipartParser parser("XX", limits);
    PartHead head;
    std::string buffer, out, data;
    for (auto piece : pieces) {
        buffer += piece;
        while (true) {
            auto event = parser.next(buffer, head);
            data += event.data;
            buffer.erase(0, event.consumed);
            switch (event.kind) {
                case MultipartEvent::Kind::need_more:
                    break;
                case MultipartEvent::Kind::data:
                    continue;
                case MultipartEvent::Kind::part:
                    out += "part " + head.name + (head.filename ? " file=" + *head.filename : "") +
                           (head.content_type.empty() ? "" : " type=" + head.content_type) + "\n";
                    continue;
                case MultipartEvent::Kind::part_end:
                    out += "[" + data + "]\n";
                    data.clear();
                    continue;
                case MultipartEvent::Kind::done:
                    out += "done\n";
                    continue;
                case MultipartEvent::Kind::error:
                    return out + (data.empty() ? "" : "[" + data + "\n") + std::string(event.code);
            }
            break;
        }
    }
    if (!data.empty()) out += "[" + data + "\n";
    return out;
}

std::string trace_all_splits(std::string_view bytes, MultipartLimits limits = {}) {
    auto whole = trace({bytes}, limits);
    // An unfinished part may hold back what could become a boundary, so only whole bodies compare
    // byte for byte.
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        EXPECT_EQ(trace({bytes.substr(0, cut), bytes.substr(cut)}, limits), whole)
            << "cut at " << cut;
    }
    std::vector<std::string_view> single;
    for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
    EXPECT_EQ(trace(single, limits), whole) << "byte by byte";
    return whole;
}

std::string part(std::string_view disposition, std::string_view data) {
    return "--XX\r\nContent-Disposition: " + std::string(disposition) + "\r\n\r\n" +
           std::string(data) + "\r\n";
}

TEST(Multipart, ReadsBoundaries) {
    EXPECT_EQ(*multipart_boundary("multipart/form-data; boundary=abc"), "abc");
    EXPECT_EQ(*multipart_boundary("Multipart/Form-Data; charset=x ;BOUNDARY=\"a b:c\""), "a b:c");
    EXPECT_EQ(multipart_boundary("text/plain").error().kind(), ErrorKind::unsupported);
    for (auto bad :
         {"multipart/form-data",
          "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a\r\n\"",
          "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=a; boundary=b",
          "multipart/form-data; boundary=\"open", "multipart/form-data; boundary=a b"}) {
        EXPECT_FALSE(multipart_boundary(bad)) << bad;
    }
    EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'a')));
}

TEST(Multipart, ReadsParts) {
    EXPECT_EQ(
        trace_all_splits(
            part("form-data; name=\"a\"", "1") + part("form-data; name=b", "") +
            "--XX\r\ncontent-disposition: form-data; name=\"f\"; filename=\"x.csv\"\r\n"
            "Content-Type: text/csv\r\n\r\n\r\n--X\r\n\r--XXnot\r\n--XX--\r\nepilogue"),
        "part a\n[1]\npart b\n[]\npart f file=x.csv type=text/csv\n[\r\n--X\r\n\r--XXnot]\ndone\n");
    EXPECT_EQ(trace_all_splits("--XX--"), "done\n");
    EXPECT_EQ(trace_all_splits("\r\n--XX--\r\n"), "done\n");
}

TEST(Multipart, IgnoresWhatStandsAroundItsBoundaries) {
    const std::string one = part("form-data; name=a", "1");
    const std::string read = "part a\n[1]\ndone\n";
    for (std::string_view preamble :
         {"\r\n", "\r\n\r\n", "a preamble\r\n", "--XY\r\n", "two\r\nlines --XX\r\n", "-\r\n",
          "\r\n-\r\n", "--X\r\n", "\r\r\n"}) {
        EXPECT_EQ(trace_all_splits(std::string(preamble) + one + "--XX--"), read) << preamble;
    }
    for (std::string_view padding : {" ", "\t", " \t  \t"}) {
        std::string padded = one;
        padded.insert(4, padding);
        EXPECT_EQ(trace_all_splits(padded + "--XX--" + std::string(padding) + "\r\nend"), read);
    }
    EXPECT_EQ(trace_all_splits("--XX \r\n\r\n"), "bad_part_header");
    EXPECT_EQ(trace_all_splits("--XX --"), "bad_boundary");
    EXPECT_EQ(trace_all_splits("--XX  xy"), "bad_boundary");
    const MultipartLimits limits{.preamble = 10, .header_bytes = 40};
    EXPECT_EQ(trace_all_splits(std::string(10, 'p') + "\r\n" + one + "--XX--", limits), read);
    EXPECT_EQ(trace_all_splits(std::string(11, 'p') + "\r\n" + one + "--XX--", limits),
              "missing_boundary");
    EXPECT_EQ(trace_all_splits("--XX" + std::string(40, ' ') + one.substr(4) + "--XX--", limits),
              read);
    EXPECT_EQ(trace_all_splits("--XX" + std::string(41, ' ') + one.substr(4) + "--XX--", limits),
              "bad_boundary");
}

TEST(Multipart, ReadsNames) {
    auto head = [](std::string_view disposition) {
        auto traced = trace({part(disposition, "") + "--XX--"}, {});
        return traced.substr(0, traced.find('\n'));
    };
    EXPECT_EQ(head(R"(form-data; name="a\"b\\c\d")"), R"(part a"b\c\d)");
    EXPECT_EQ(head(R"(form-data; name=a; filename="C:\dir\file.txt")"), "part a file=file.txt");
    EXPECT_EQ(head(R"(form-data; name=a; filename="../../etc/passwd")"), "part a file=passwd");
    EXPECT_EQ(head(R"(form-data; name=a; filename="")"), "part a file=");
    EXPECT_EQ(head("form-data; name=\"caf\xc3\xa9; x\""), "part caf\xc3\xa9; x");
    EXPECT_EQ(head("form-data; name=a; filename*=UTF-8''x"), "part a file=x");
    EXPECT_EQ(head("form-data; name=a; FileName*=utf-8'fr'..%2Fcaf%C3%A9%20%271%27.csv"),
              "part a file=caf\xc3\xa9 '1'.csv");
    EXPECT_EQ(head("form-data; name=a; filename*=UTF-8''x; filename=y"), "part a file=y");
    for (auto bad :
         {"attachment; name=a", "form-data", "form-data; name=", "form-data; name=\"a",
          "form-data; name=a b", "form-data; name=a; name=b", "form-data; filename=x",
          "form-data; name=a; filename=x; filename=y", "form-data; name=\"\xff\"",
          "form-data; name=a; filename*=x", "form-data; name=a; filename*=UTF-8'x",
          "form-data; name=a; filename*=ISO-8859-1''x", "form-data; name=a; filename*=UTF-8''%ff",
          "form-data; name=a; filename*=UTF-8''%zz",
          "form-data; name=a; filename*=UTF-8''x; filename*=UTF-8''y", "form-data name=a"}) {
        EXPECT_EQ(head(bad), "bad_part_header") << bad;
    }
}

TEST(Multipart, RefusesBrokenBodies) {
    EXPECT_EQ(trace_all_splits(std::string(5000, 'p')), "missing_boundary");
    EXPECT_EQ(trace_all_splits("--XX \nC"), "bad_boundary");
    EXPECT_EQ(trace_all_splits("--XX\nContent"), "bad_boundary");
    EXPECT_EQ(trace_all_splits(part("form-data; name=a", "1") + "--XX\r?"),
              "part a\n[1]\nbad_boundary");
    EXPECT_EQ(trace_all_splits("--XX\r\n\r\n"), "bad_part_header");
    EXPECT_EQ(trace_all_splits("--XX\r\nno colon\r\n\r\n"), "bad_part_header");
    EXPECT_EQ(trace_all_splits("--XX\r\nContent-Disposition : form-data; name=a\r\n\r\n"),
              "bad_part_header");
    EXPECT_EQ(trace_all_splits("--XX\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n"),
              "bad_part_header");
    EXPECT_EQ(trace_all_splits("--XX\r\nContent-Disposition: form-data; name=a\nX: y\r\n\r\n"),
              "bad_part_header");
    EXPECT_EQ(trace_all_splits("--XX\r\nContent-Disposition: form-data; name=\"a\0\"\r\n\r\n"s),
              "bad_part_header");
}

TEST(Multipart, HoldsItsLimits) {
    auto one = part("form-data; name=a", "");
    EXPECT_EQ(trace_all_splits(one + one + "--XX--", {.parts = 2}),
              "part a\n[]\npart a\n[]\ndone\n");
    EXPECT_EQ(trace_all_splits(one + one + one, {.parts = 2}),
              "part a\n[]\npart a\n[]\ntoo_many_parts");
    EXPECT_EQ(trace_all_splits(one + "--XX--", {.header_bytes = 38}), "part a\n[]\ndone\n");
    EXPECT_EQ(trace_all_splits(one + "--XX--", {.header_bytes = 37}), "part_headers_too_large");
    EXPECT_EQ(trace_all_splits("--XX\r\na:\r\nb:\r\n\r\n", {.header_count = 1}),
              "part_headers_too_large");
}

TEST(Multipart, HoldsNothingBackThatCannotBeABoundary) {
    MultipartParser parser("XX");
    PartHead head;
    auto bytes = part("form-data; name=a", "");
    bytes.resize(bytes.size() - 2);
    auto event = parser.next(bytes, head);
    ASSERT_EQ(event.kind, MultipartEvent::Kind::part);
    event = parser.next("data\r\n-", head);
    EXPECT_EQ(event.data, "data");
    event = parser.next("\r\n-x", head);
    EXPECT_EQ(event.data, "\r\n-x");
}

}  // namespace multipart_test
}  // namespace bennu::net
