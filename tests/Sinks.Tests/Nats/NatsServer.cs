using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Nats;

/// <summary>A real nats-server on loopback with its files in a directory of its own; it can be killed and started again.</summary>
internal sealed class NatsServer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/nats-server";

    private readonly TemporaryDirectory _directory = new();
    private readonly string _configuration;
    private readonly bool _jetStream;
    private Process? _process;

    private NatsServer(string configuration, int port, bool jetStream) =>
        (_configuration, Port, _jetStream) = (configuration, port, jetStream);

    internal int Port { get; }

    internal string Url => $"nats://127.0.0.1:{Port}";

    internal string File(string name) => _directory.File(name);

    /// <param name="text">{0} is the directory.</param>
    internal string InDirectory(string text) => text.Replace("{0}", _directory.Path, StringComparison.Ordinal);

    /// <param name="configuration">Beside address and storage; {0} is the directory.</param>
    /// <param name="starts">Is it started, or only given a port?</param>
    internal static async Task<NatsServer> StartAsync(string configuration = "", bool starts = true, int port = 0, bool jetStream = true)
    {
        Assert.SkipUnless(System.IO.File.Exists(Program), "needs nats-server");
        NatsServer server = new(configuration, port == 0 ? FreePort() : port, jetStream);
        if (starts)
            await server.StartAsync();
        return server;
    }

    internal async Task StartAsync()
    {
        string file = File("server.conf");
        await System.IO.File.WriteAllTextAsync(file, $"""
            listen: "127.0.0.1:{Port}"
            {(_jetStream ? $"jetstream: {{ store_dir: \"{File("jetstream")}\" }}" : "")}
            {InDirectory(_configuration)}
            """, TestContext.Current.CancellationToken);
        _process = Process.Start(new ProcessStartInfo(Program, ["-c", file, "-l", File("log")]))!;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        await Eventually.TrueAsync(
            IsReadyAsync, state: () => System.IO.File.Exists(File("log")) ? System.IO.File.ReadAllText(File("log")) : "no log");
    }

    /// <summary>As kill -9.</summary>
    internal async Task KillAsync()
    {
        if (_process is null)
            return;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _directory.Dispose();
    }

    internal static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void OnExit(object? sender, EventArgs arguments) => _process?.Kill();

    /// <summary>It greets with INFO.</summary>
    private async Task<bool> IsReadyAsync()
    {
        Assert.False(
            _process!.HasExited,
            $"nats-server has ended: {(System.IO.File.Exists(File("log")) ? System.IO.File.ReadAllText(File("log")) : "no log")}");
        try
        {
            using TcpClient client = new();
            await client.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
            byte[] greeting = new byte[5];
            await client.GetStream().ReadExactlyAsync(greeting, TestContext.Current.CancellationToken);
            return greeting.AsSpan().SequenceEqual("INFO "u8);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
