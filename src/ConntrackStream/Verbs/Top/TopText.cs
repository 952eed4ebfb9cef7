using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Output;
using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>Values as the cells show them: short.</summary>
internal static class TopText
{
    private const int MostPoints = 60;

    private static readonly char[] Levels = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

    internal static string Address(FlowFamily family, IpAddress address) => address.ToIPAddress(family).ToString();

    /// <summary>Address and port; the address alone where the protocol has no ports.</summary>
    internal static string Endpoint(in FlowTuple tuple, bool isSource)
    {
        (IpAddress address, ushort port) =
            isSource ? (tuple.Source, tuple.SourcePort) : (tuple.Destination, tuple.DestinationPort);
        return AddressPort.Text(address, tuple.Family, tuple.Protocol.HasPorts() ? port : null);
    }

    internal static string Service(IpProtocol protocol, ushort port) =>
        port == 0 ? protocol.Name() : string.Create(CultureInfo.InvariantCulture, $"{protocol.Name()}/{port}");

    /// <summary>How the flow is translated: what its packets look like behind the gateway; empty where nothing is.</summary>
    internal static string Translation(in Flow flow)
    {
        FlowTuple reply = flow.Reply;
        string source = flow.IsSourceNat ? Endpoint(reply, isSource: false) : "";
        string destination = flow.IsDestinationNat ? Endpoint(reply, isSource: true) : "";
        return (source, destination) switch
        {
            ("", "") => "",
            (_, "") => $"from {source}",
            ("", _) => $"to {destination}",
            _ => $"from {source} to {destination}",
        };
    }

    internal static string State(in Flow flow)
    {
        string state = Encoding.ASCII.GetString(StateNames.Of(flow.Original.Protocol, flow.ProtocolState));
        return state.Length > 0 ? state : (flow.Status & FlowStatus.SeenReply) == FlowStatus.None ? "unreplied" : "";
    }

    /// <summary>Bytes a second, or packets.</summary>
    internal static string Rate(double rate, bool isKnown) => isKnown ? Figure.Bytes(rate) : "–";

    /// <summary>Empty for none.</summary>
    internal static string Mark(uint mark) => mark == 0 ? "" : $"0x{mark:x}";

    /// <summary>The two largest units: 3d 4h, 5m 12s.</summary>
    internal static string Age(double seconds)
    {
        if (seconds < 0)
            return "–";
        TimeSpan age = TimeSpan.FromSeconds(seconds);
        (int large, char largeUnit, int small, char smallUnit) = age switch
        {
            { TotalDays: >= 1 } => ((int)age.TotalDays, 'd', age.Hours, 'h'),
            { TotalHours: >= 1 } => (age.Hours, 'h', age.Minutes, 'm'),
            _ => (age.Minutes, 'm', age.Seconds, 's'),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{(large > 0 ? $"{large}{largeUnit} " : "")}{small}{smallUnit}");
    }

    /// <summary>A line of bars, the highest for the largest value; the last value is on the right.</summary>
    internal static string Sparkline(IReadOnlyCollection<double> values, int width)
    {
        IEnumerable<double> shown = values.Skip(Math.Max(0, values.Count - Math.Min(width, MostPoints)));
        double most = values.DefaultIfEmpty().Max();
        return string.Concat(shown.Select(value => Levels[most > 0 ? (int)Math.Round(value / most * (Levels.Length - 1)) : 0]));
    }
}
