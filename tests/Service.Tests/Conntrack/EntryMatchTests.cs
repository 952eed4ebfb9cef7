using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Conntrack.Runs;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Tests.Conntrack;

/// <summary>Which entries a command line means, where the kernel's tests have no such entry.</summary>
public sealed class EntryMatchTests
{
    /// <summary>conntrack shows nothing from those lists once a mask is given: it prepares masks for the whole table only.</summary>
    [Theory]
    [InlineData("-L dying", true)]
    [InlineData("-L dying -s 1.1.1.0/24", true)]
    [InlineData("-L unconfirmed -d 2.2.2.9 --mask-dst 255.255.255.0", true)]
    [InlineData("-L dying -s 1.1.2.0/24", false)]
    [InlineData("-L dying --mask-src 255.255.255.0", false)]
    [InlineData("-L unconfirmed --mask-dst 0.0.0.0", false)]
    public void Masks_hold_in_the_other_lists_too(string line, bool expected)
    {
        ConntrackSession session = new("conntrack", TextWriter.Null, "/nonexistent");
        Flow flow = new()
        {
            Present = FlowFields.BothTuples,
            Original = new FlowTuple
            {
                Family = FlowFamily.IPv4,
                Protocol = IpProtocol.Udp,
                Source = new IpAddress(0, 0x01010101),
                Destination = new IpAddress(0, 0x02020202),
            },
        };
        Assert.Equal(expected, new EntryMatch(CommandParser.Parse(line.Split(' '), session)).Matches(flow));
    }
}
