using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Kernel.Tests;

/// <summary>A network namespace of a test's own, with loopback up; removed when disposed.</summary>
internal sealed class TapTestNamespace : IDisposable
{
    private static int _count;

    internal TapTestNamespace()
    {
        Name = string.Create(CultureInfo.InvariantCulture, $"cs-tap-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}");
        Run("ip", ["netns", "add", Name]);
        Run("ip", ["-n", Name, "link", "set", "lo", "up"]);
        Network = NetworkNamespace.OpenName(Name);
    }

    internal string Name { get; }

    internal NetworkNamespace Network { get; }

    /// <summary>Has every new flow tracked, as a ruleset with a ct expression does.</summary>
    internal void Track() => Inside("nft", "add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c ct state new accept");

    /// <summary>Makes entries, one for each line of conntrack -R (<c>-I -p udp -s …</c>).</summary>
    internal void Load(IEnumerable<string> lines)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllLines(file, lines);
            Inside("conntrack", "-R", file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    internal void Flush() => Inside("conntrack", "-F");

    internal int Count() => int.Parse(Inside("conntrack", "-C"), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);

    /// <summary>Sends one datagram to each of <paramref name="count"/> ports of 127.0.0.<paramref name="host"/>: as many new flows where tracking is on.</summary>
    internal void SendUdp(int count, byte host = 1) => Network.Run(() =>
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        IPAddress address = new([127, 0, 0, host]);
        byte[] payload = [1];
        for (int port = 1; port <= count; port++)
            socket.SendTo(payload, new IPEndPoint(address, port));
    });

    internal string Inside(string program, params string[] arguments) => Run("ip", ["netns", "exec", Name, program, .. arguments]);

    public void Dispose()
    {
        Network.Dispose();
        Run("ip", ["netns", "del", Name]);
    }

    private static string Run(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {error.Result}");
        return output;
    }
}
