using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Nats;

namespace ConntrackStream.Sinks.Tests.Nats;

public sealed class HostSubjectTests
{
    [Theory]
    [InlineData("node-1", "node-1")]
    [InlineData("node1.example.net", "node1=2Eexample=2Enet")]
    [InlineData("a*b>c d", "a=2Ab=3Ec=20d")]
    [InlineData("größe=1", "gr=C3=B6=C3=9Fe=3D1")]
    public void Every_host_is_one_token_and_comes_back(string host, string token)
    {
        string subject = HostSubject.Of("conntrack", host);
        Assert.Equal(token, HostToken.Of(host));
        Assert.Matches("^conntrack\\.[0-9a-f]\\.[0-9a-f]\\.[A-Za-z0-9_=-]+$", subject);
        Assert.Equal(host, HostSubject.HostOf(subject));
    }

    [Fact]
    public void Hosts_are_spread_over_all_shares()
    {
        string[] shares =
        [
            .. Enumerable.Range(0, 4096).Select(static number => HostSubject.Of("c", $"node-{number}")[..5]),
        ];
        Assert.Equal(256, shares.Distinct(StringComparer.Ordinal).Count());
        int largest = shares.CountBy(static share => share, StringComparer.Ordinal).Max(static share => share.Value);
        Assert.True(largest < 64, "a share has four times its part");
    }

    [Theory]
    [InlineData("conntrack.0.0.")]
    [InlineData("conntrack.0.0.a=2")]
    [InlineData("conntrack.0.0.a=ZZ")]
    public void A_subject_without_a_host_has_none(string subject) => Assert.Null(HostSubject.HostOf(subject));

    [Theory]
    [InlineData("conntrack", true)]
    [InlineData("site-1.conntrack", true)]
    [InlineData("", false)]
    [InlineData(".a", false)]
    [InlineData("a..b", false)]
    [InlineData("a.*", false)]
    [InlineData("a.>", false)]
    [InlineData("a b", false)]
    public void The_prefix_has_no_wildcards(string prefix, bool isGood) =>
        Assert.Equal(isGood, HostSubject.ProblemOfPrefix(prefix) is null);
}
