using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public class FlowLogOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(new FlowLogOptions().Validate());

    [Fact]
    public void Each_mistake_names_key_value_and_what_is_allowed()
    {
        FlowLogOptions options = new()
        {
            Path = "/var/log/",
            Events = [],
            Host = "",
            LocalNetworks = ["10.0.0.0/8", "10.0.0.0/33"],
            MarkDirections = ["0x10/0xff=sideways", "0x100/0xff=egress", "x=egress", "1=3"],
            Rotation = { MaxBytes = 1000, Interval = TimeSpan.FromMilliseconds(1), Keep = 0 },
            Filter = { Include = { Protocols = ["tpc"], State = "OPENED" }, Exclude = { Sources = ["1.2.3"], Mark = "-1" } },
        };
        string[] expected =
        [
            "FlowLog:Path: \"/var/log/\" must be",
            "FlowLog:Events: \"\" must have at least one of start",
            "FlowLog:Host: \"\" must have 1 to 255",
            "FlowLog:LocalNetworks: \"10.0.0.0/8,10.0.0.0/33\" must be prefixes",
            "FlowLog:MarkDirections: ",
            "FlowLog:MarkDirections: ",
            "FlowLog:MarkDirections: ",
            "FlowLog:MarkDirections: ",
            "FlowLog:Rotation:MaxBytes: \"1000\" must be 0 (never) or at least 65536",
            "FlowLog:Rotation:Interval: \"00:00:00.0010000\" must be",
            "FlowLog:Rotation:Keep: \"0\" must be from 1 to 10000",
            "FlowLog:Filter:Include:Protocols: \"tpc\" is refused: 'tpc' is not a protocol; allowed are tcp",
            "FlowLog:Filter:Include:State: \"OPENED\" is refused:",
            "FlowLog:Filter:Exclude:Sources: \"1.2.3\" is refused:",
            "FlowLog:Filter:Exclude:Mark: \"-1\" is refused:",
        ];
        IReadOnlyList<string> problems = options.Validate();
        Assert.Equal(expected.Length, problems.Count);
        Assert.All(expected.Zip(problems), pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("192.0.2.1", 443, true)]
    [InlineData("192.0.2.1", 53, false)] // excluded
    [InlineData("192.0.2.200", 443, false)] // not included
    public void A_flow_is_logged_if_included_and_not_excluded(string source, int port, bool expected)
    {
        FlowLogFilterOptions filter = new() { Include = { Sources = ["192.0.2.0/25"] }, Exclude = { DestinationPorts = ["53"] } };
        FlowChange change = Change(FlowChangeKind.Started, Flow(Tuple(IpProtocol.Udp, source, 1, "198.51.100.1", port)));
        Assert.Equal(expected, RecordFilter.Of([], [], filter)!.Takes(change));
    }

    [Fact]
    public void Without_conditions_there_is_no_filter() => Assert.Null(RecordFilter.Of([], [], new FlowLogFilterOptions()));
}
