using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Tests.Model;

/// <summary>Each vocabulary has one table. Lines that conntrack-tools printed check the spelling (ConntrackTextTests).</summary>
public sealed class NamesTests
{
    [Fact]
    public void Every_protocol_of_the_enumeration_has_a_name_and_every_other_its_number()
    {
        for (int number = 0; number <= byte.MaxValue; number++)
        {
            IpProtocol protocol = (IpProtocol)number;
            bool isNamed = Enum.IsDefined(protocol);
            Assert.Equal(isNamed, !protocol.Utf8Name().IsEmpty);
            Assert.Equal(isNamed ? Text(protocol.Utf8Name()) : $"{number}", protocol.Name());
            Assert.True(FilterText.TryParseProtocol(protocol.Name(), out IpProtocol read, out string? error), error);
            Assert.Equal(protocol, read);
        }
    }

    [Theory]
    [InlineData(IpProtocol.Tcp)]
    [InlineData(IpProtocol.Sctp)]
    [InlineData(IpProtocol.Dccp)]
    public void Every_state_reads_back(IpProtocol protocol)
    {
        for (byte state = 0; state < 10; state++)
        {
            Assert.True(StateNames.TryParse(protocol, StateNames.Of(protocol, state), out byte read));
            Assert.Equal(state, read);
        }

        Assert.True(StateNames.Of(protocol, 10).IsEmpty);
        Assert.False(StateNames.TryParse(protocol, "established"u8, out _));
        Assert.False(StateNames.TryParse(protocol, default, out _));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "ipv4")]
    [InlineData(FlowFamily.IPv6, "ipv6")]
    public void Every_family_reads_back(FlowFamily family, string name)
    {
        Assert.Equal((name, name), (family.Name(), Text(family.Utf8Name())));
        Assert.True(FamilyNames.TryParse(name, out FlowFamily read));
        Assert.Equal(family, read);
        Assert.True(FamilyNames.TryParse(family.Utf8Name(), out read));
        Assert.Equal(family, read);
        Assert.True(FilterText.TryParseFamily(name, out read, out string? error), error);
        Assert.Equal(family, read);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("IPv4")]
    [InlineData("inet")]
    public void What_is_no_family_reads_as_none(string? name)
    {
        Assert.False(FamilyNames.TryParse(name, out FlowFamily family));
        Assert.Equal((FlowFamily.Unspecified, ""), (family, family.Name()));
        Assert.False(FamilyNames.TryParse(Encoding.ASCII.GetBytes(name ?? ""), out _));
    }

    [Fact]
    public void Every_TCP_state_is_known_to_filters()
    {
        foreach (TcpState state in Enum.GetValues<TcpState>())
        {
            Assert.True(StateMatch.TryParse(Text(state.Utf8Name()), out StateMatch read, out string? error), error);
            Assert.Equal(((StateMatch)state).Tcp, read.Tcp);
        }
    }

    [Fact]
    public void A_protocol_without_states_has_no_names_of_them()
    {
        Assert.True(StateNames.Of(IpProtocol.Udp, 1).IsEmpty);
        Assert.False(StateNames.TryParse(IpProtocol.Udp, default, out _));
    }

    [Fact]
    public void Every_status_bit_of_the_enumeration_has_its_own_name()
    {
        FlowStatus[] named =
            [.. Enumerable.Range(0, 32).Select(static bit => (FlowStatus)(1u << bit)).Where(static bit => !bit.Utf8Name().IsEmpty)];
        Assert.Equal(Enum.GetValues<FlowStatus>().Where(static bit => bit != FlowStatus.None), named);
        Assert.Equal(StatusNames.Named, named.Aggregate(static (all, bit) => all | bit));
        Assert.Equal(named.Length, named.Select(static bit => Text(bit.Utf8Name())).Distinct(StringComparer.Ordinal).Count());
        Assert.True(FlowStatus.None.Utf8Name().IsEmpty);
    }

    private static string Text(ReadOnlySpan<byte> name) => Encoding.ASCII.GetString(name);
}
