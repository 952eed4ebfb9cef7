using System.Globalization;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <content>What has left by which uplink, and what was lost.</content>
public sealed partial class UplinkRig
{
    /// <summary>TCP and UDP packets that have left by this uplink.</summary>
    public long Packets(int uplink) => Counter($"out{uplink}");

    /// <summary>Packets that have left by either uplink with a source of the LAN.</summary>
    public long Leaked => Counter("leaked");

    /// <summary>Packets that <see cref="DropInvalid"/> has dropped.</summary>
    public long Invalid => Counter("invalid");

    /// <summary>TCP segments that the client and the server have sent again.</summary>
    public long Retransmissions(KernelNamespace client) => Retransmitted(client) + Retransmitted(Server);

    private long Counter(string name)
    {
        using JsonDocument answer = JsonDocument.Parse(Gateway.Exec("nft", "-j", "list", "counter", "inet", UplinkRules.Table, name));
        return answer.RootElement.GetProperty("nftables")[1].GetProperty("counter").GetProperty("packets").GetInt64();
    }

    /// <summary>Tcp: RetransSegs, the same for both families.</summary>
    private static long Retransmitted(KernelNamespace space)
    {
        string[] tcp =
        [
            .. space.Run(() => File.ReadAllLines("/proc/thread-self/net/snmp"))
                .Where(line => line.StartsWith("Tcp:", StringComparison.Ordinal)),
        ];
        int column = Array.IndexOf(tcp[0].Split(' '), "RetransSegs");
        return long.Parse(tcp[1].Split(' ')[column], CultureInfo.InvariantCulture);
    }
}
