using ConntrackStream.Sinks.Fleet;

namespace ConntrackStream.Sinks.Tests.Fleet;

public sealed class MessageIdentityTests
{
    public static TheoryData<string, string> Written => new()
    {
        { "00000000000000ab 1 100", "host-00000000000000ab-1" },
        { "00000000000000ab 1 1 00000000000000aa 77", "host-00000000000000ab-1" },
        { "00000000000000ab 5 9 loss", "host-00000000000000ab-5-9-loss" },
    };

    [Theory]
    [MemberData(nameof(Written))]
    public void The_header_comes_back_and_names_the_id(string header, string id)
    {
        Assert.True(MessageIdentity.TryParse(header, out MessageIdentity identity));
        Assert.Equal(header, identity.ToString());
        Assert.Equal(id, identity.Id("host"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ab")]
    [InlineData("ab 1")]
    [InlineData("xy 1 2")]
    [InlineData("ab 0 2")]
    [InlineData("ab 3 2")]
    [InlineData("ab -1 2")]
    [InlineData("ab 1 2 aa")]
    [InlineData("ab 1 2 aa x")]
    [InlineData("ab 1 2 loss loss")]
    public void What_is_no_identity_is_refused(string header) => Assert.False(MessageIdentity.TryParse(header, out _));
}
