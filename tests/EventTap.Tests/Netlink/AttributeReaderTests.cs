using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Netlink;

public class AttributeReaderTests
{
    [Fact]
    public void Walks_attributes_and_masks_the_flag_bits()
    {
        AttributeReader attributes = new(Hex.Parse("""
            05 00 01 00  2a 00 00 00 // u8
            06 00 02 40  12 34 00 00 // __be16, NLA_F_NET_BYTEORDER
            08 00 03 80  01 02 03 04 // __be32, NLA_F_NESTED
            0c 00 04 00  01 02 03 04 05 06 07 08 // __be64
            04 00 05 00 // empty
            """));

        Assert.True(attributes.Next());
        Assert.Equal((1, 0x2a), (attributes.Type, attributes.U8()));
        Assert.True(attributes.Next());
        Assert.Equal((2, 0x1234), (attributes.Type, attributes.U16()));
        Assert.True(attributes.Next());
        Assert.Equal((3, 0x01020304u), (attributes.Type, attributes.U32()));
        Assert.True(attributes.Next());
        Assert.Equal((4, 0x0102030405060708ul), (attributes.Type, attributes.U64()));
        Assert.True(attributes.Next());
        Assert.True(attributes.Value.IsEmpty);
        Assert.False(attributes.Next());
        Assert.False(attributes.Malformed);
    }

    [Fact]
    public void The_last_attribute_may_lack_its_padding()
    {
        AttributeReader attributes = new(Hex.Parse("05 00 01 00  2a"));
        Assert.True(attributes.Next());
        Assert.Equal(0x2a, attributes.U8());
        Assert.False(attributes.Next());
        Assert.False(attributes.Malformed);
    }

    [Theory]
    [InlineData("00 00 01 00")] // nla_len 0: would never end
    [InlineData("03 00 01 00")] // below NLA_HDRLEN
    [InlineData("09 00 01 00  01 02 03 04")] // one byte beyond
    [InlineData("ff ff 01 00  01 02 03 04")]
    [InlineData("08 00 01")] // half a header
    [InlineData("00")]
    public void A_bad_length_ends_the_walk_for_good(string hex)
    {
        AttributeReader attributes = new(Hex.Parse(hex));
        Assert.False(attributes.Next());
        Assert.True(attributes.Malformed);
        Assert.False(attributes.Next());
    }

    [Fact]
    public void Trailing_bytes_too_few_for_an_attribute_are_malformed()
    {
        AttributeReader attributes = new(Hex.Parse("08 00 01 00  01 02 03 04  aa bb"));
        Assert.True(attributes.Next());
        Assert.False(attributes.Next());
        Assert.True(attributes.Malformed);
    }

    [Theory]
    [InlineData("04 00 01 00")]
    [InlineData("07 00 01 00  01 02 03 00")]
    [InlineData("14 00 01 00  01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10")]
    public void A_value_of_another_length_than_asked_for_is_zero_and_malformed(string hex)
    {
        byte[] bytes = Hex.Parse(hex + " 08 00 02 00  01 02 03 04");
        for (int width = 1; width <= 8; width *= 2)
        {
            AttributeReader attributes = new(bytes);
            Assert.True(attributes.Next());
            Assert.Equal(0ul, width switch
            {
                1 => attributes.U8(),
                2 => attributes.U16(),
                4 => attributes.U32(),
                _ => attributes.U64(),
            });
            Assert.True(attributes.Malformed);
            Assert.False(attributes.Next());
        }
    }

    [Fact]
    public void A_nest_is_bounded_by_its_attribute()
    {
        AttributeReader attributes = new(Hex.Parse("""
            0c 00 01 80 // nest
            08 00 02 00  01 02 03 04 //   inside
            08 00 03 00  05 06 07 08 // after
            """));
        Assert.True(attributes.Next());
        AttributeReader inside = attributes.Nested();
        Assert.True(inside.Next());
        Assert.Equal(0x01020304u, inside.U32());
        Assert.False(inside.Next());
        Assert.False(inside.Malformed);
        Assert.True(attributes.Next());
        Assert.Equal(3, attributes.Type);
    }
}
