using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Rules;
using ConntrackStream.Sinks.Reclassify.Sets;
using ConntrackStream.Sinks.Tests.FlowLog;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.Reclassify.Sets;

/// <summary>A set's rule among the rules without a set.</summary>
public sealed class SetScopeTests
{
    private static readonly StaticRule Web =
        new() { Path = "lte", Origin = "set's rule", Protocol = IpProtocol.Tcp, DestinationPort = new PortRange(443, 443) };

    private readonly StaticRules _rules = new(
        null,
        [
            new StaticRule { Path = null, Origin = "first", Source = new IpPrefix(Tuple("10.0.0.9", 443).Source, 32, FlowFamily.IPv4) },
            new StaticRule { Path = "wan", Origin = "second" },
        ],
        _ => true,
        NullLogger.Instance);

    [Theory]
    [InlineData("10.0.0.2", 443, 1, true)]
    [InlineData("10.0.0.2", 80, 1, false)] // its conditions
    [InlineData("10.0.0.9", 443, 1, false)] // the first rule without a set comes before it
    [InlineData("10.0.0.9", 443, 0, true)]
    [InlineData("10.0.0.2", 443, 2, false)] // and here the second
    public void It_decides_over_members_that_no_earlier_rule_decides_over(string source, int port, int position, bool decides)
    {
        FlowQuestion question = new(Tuple(source, port), 0, null);
        Assert.Equal(decides ? "lte" : null, Scope(position).OfMember(question).Path);
        Assert.Equal(decides ? VerdictKind.Keep : VerdictKind.None, Scope(position).OfUnknown(question).Kind);
    }

    [Fact]
    public void While_the_set_cannot_be_looked_up_what_could_be_a_member_is_left_alone_for_a_while()
    {
        Verdict verdict = Scope(1).OfUnknown(new FlowQuestion(Tuple("10.0.0.2", 443), 0, null));
        Assert.Equal(("cannot be looked up", true), (verdict.Reason, verdict.ValidFor is not null)); // then it is asked again
        Assert.Equal(VerdictKind.None, Scope(1, null).OfUnknown(new FlowQuestion(Tuple("10.0.0.2", 443), 0, null)).Kind);
    }

    private SetScope Scope(int position, string? reason = "cannot be looked up") =>
        new([Web], (in FlowQuestion question) => _rules.DecidesBefore(question, position), reason);

    private static FlowTuple Tuple(string source, int port) => FlowLogTestData.Tuple(IpProtocol.Tcp, source, 40000, "198.51.100.1", port);
}
