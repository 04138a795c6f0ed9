// The crypto channel: both sides agree, nothing changed is accepted, no nonce is used twice.
#include "channel.h"

#include <gtest/gtest.h>

#include "handshake.h"

namespace honeylink::link {
namespace {

struct Pair {
  KeyPair identity, initiator, ephemeral;
  std::optional<Channel> out, in;
  explicit Pair(std::uint64_t session = 7) {
    EXPECT_TRUE(crypto_ready());
    out = agree_as_initiator(session, initiator, identity.public_key(), ephemeral.public_key());
    in = agree_as_responder(session, identity, ephemeral, initiator.public_key());
  }
};

TEST(Channel, RoundTripBothWaysIncludingTheEmptyText) {
  Pair pair;
  ASSERT_TRUE(pair.out && pair.in);
  for (const Bytes& text : {Bytes{}, Bytes{42}, Bytes(kBodyBytesMax, 9)}) {
    EXPECT_EQ(pair.in->open(pair.out->seal(Type::data, text)), text);
    EXPECT_EQ(pair.out->open(pair.in->seal(Type::report, text)), text);
  }
}

TEST(Channel, EverySingleChangedBitIsRefused) {
  Pair pair;
  const Bytes sealed = pair.out->seal(Type::data, Bytes{1, 2, 3, 4, 5});
  ASSERT_TRUE(pair.in->open(sealed));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1U << (bit % 8));
    EXPECT_FALSE(pair.in->open(changed)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(pair.in->open(ByteView(sealed).first(size))) << size;
}

TEST(Channel, CountersGrowSoThatNoNonceIsUsedTwice) {
  Pair pair;
  const Bytes first = pair.out->seal(Type::data, Bytes{1}), second = pair.out->seal(Type::data, Bytes{1});
  EXPECT_EQ(decode_header(first)->counter, 1U);
  EXPECT_EQ(decode_header(second)->counter, 2U);
  EXPECT_NE(Bytes(first.begin() + kHeaderBytes, first.end()), Bytes(second.begin() + kHeaderBytes, second.end()));
}

TEST(Channel, OwnDatagramSentBackIsRefused) {
  Pair pair;
  EXPECT_FALSE(pair.out->open(pair.out->seal(Type::data, Bytes{1}))) << "each direction has its own key";
}

TEST(Channel, AnotherSessionOrAnotherIdentityCannotRead) {
  Pair pair, other;
  const Bytes sealed = pair.out->seal(Type::data, Bytes{1});
  EXPECT_FALSE(other.in->open(sealed));
  const KeyPair impostor;
  const auto fooled = agree_as_initiator(7, pair.initiator, impostor.public_key(), pair.ephemeral.public_key());
  ASSERT_TRUE(fooled);
  EXPECT_FALSE(fooled->open(pair.in->seal(Type::report, Bytes{1})));
}

TEST(Channel, LowOrderPublicKeyIsRefused) {
  ASSERT_TRUE(crypto_ready());
  const KeyPair mine, identity;
  EXPECT_FALSE(agree_as_initiator(7, mine, identity.public_key(), KeyBytes{}));
  EXPECT_FALSE(agree_as_initiator(7, mine, KeyBytes{}, identity.public_key()));
  EXPECT_FALSE(answer_hello(7, Hello{}, identity));
}

TEST(Channel, MovedFromChannelHoldsNoKeyAnyMore) {
  Pair pair;
  const Bytes sealed = pair.out->seal(Type::data, Bytes{1});
  const Channel moved = std::move(*pair.in);
  EXPECT_TRUE(moved.open(sealed));
  EXPECT_FALSE(pair.in->open(sealed));  // NOLINT(bugprone-use-after-move): that is the promise
}

}  // namespace
}  // namespace honeylink::link
