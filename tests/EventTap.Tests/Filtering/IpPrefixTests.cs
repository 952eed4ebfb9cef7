using System.Net;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Tests.Filtering;

public class IpPrefixTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.255.255", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0", false)]
    [InlineData("192.0.2.130/25", "192.0.2.129", true)]
    [InlineData("192.0.2.130/25", "192.0.2.127", false)]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.0", false)]
    [InlineData("0.0.0.0/0", "255.255.255.255", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("::/0", "ffff::1", true)]
    [InlineData("::/0", "10.0.0.1", false)]
    [InlineData("::a00:1", "10.0.0.1", false)]
    [InlineData("2001:db8::/61", "2001:db8:0:7::1", true)]
    [InlineData("2001:db8::/61", "2001:db8:0:8::1", false)]
    [InlineData("2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8::8000:0:0:0/65", "2001:db8::8000:0:0:1", true)]
    [InlineData("2001:db8::8000:0:0:0/65", "2001:db8::1", false)]
    [InlineData("2001:db8::2/127", "2001:db8::3", true)]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1", false)]
    public void Contains_its_own_family_and_block_only(string text, string address, bool expected)
    {
        Assert.True(IpPrefix.TryParse(text, out IpPrefix prefix, out string? error), error);
        IPAddress parsed = IPAddress.Parse(address);
        FlowFamily family = address.Contains(':', StringComparison.Ordinal) ? FlowFamily.IPv6 : FlowFamily.IPv4;
        Assert.Equal(expected, prefix.Contains(IpAddress.From(parsed), family));
    }

    [Theory]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    [InlineData("192.0.2.1", "192.0.2.1/32")]
    [InlineData("2001:DB8::1/33", "2001:db8::/33")]
    [InlineData("::1", "::1/128")]
    public void Host_bits_are_cut_off(string text, string expected)
    {
        Assert.True(IpPrefix.TryParse(text, out IpPrefix prefix, out _));
        Assert.Equal(expected, prefix.ToString());
    }

    [Theory]
    [InlineData(null, "not an IPv4 or IPv6 address")]
    [InlineData("", "not an IPv4 or IPv6 address")]
    [InlineData("/8", "not an IPv4 or IPv6 address")]
    [InlineData("10.1", "not an IPv4 or IPv6 address")]
    [InlineData("10", "not an IPv4 or IPv6 address")]
    [InlineData("010.0.0.1", "not an IPv4 or IPv6 address")]
    [InlineData("0x0a.0.0.1", "not an IPv4 or IPv6 address")]
    [InlineData("256.0.0.1", "not an IPv4 or IPv6 address")]
    [InlineData("fe80::1%lo", "not an IPv4 or IPv6 address")]
    [InlineData("[::1]", "not an IPv4 or IPv6 address")]
    [InlineData("example.org", "not an IPv4 or IPv6 address")]
    [InlineData("10.0.0.0/33", "must be 0 to 32")]
    [InlineData("10.0.0.0/", "must be 0 to 32")]
    [InlineData("10.0.0.0/-1", "must be 0 to 32")]
    [InlineData("10.0.0.0/8/8", "must be 0 to 32")]
    [InlineData("10.0.0.0/255.0.0.0", "must be 0 to 32")]
    [InlineData("::/129", "must be 0 to 128")]
    public void Refuses_with_a_reason(string? text, string reason)
    {
        Assert.False(IpPrefix.TryParse(text, out _, out string? error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.Contains($"'{text}'", error, StringComparison.Ordinal);
    }
}
