using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Tests;

namespace ConntrackStream.Kernel.Tests.Syslog;

/// <summary>
/// rsyslogd in a namespace, which ends it, with every input that the service can send to; it writes each message's parts as JSON.
/// </summary>
internal sealed class RsyslogServer
{
    internal const int UdpPort = 1514, TcpPort = 1601, TlsPort = 1650;

    private readonly KernelNamespace _space;
    private readonly string _directory;
    private KernelProcess? _process;

    /// <param name="serverFiles">Certificate and key.</param>
    /// <param name="client">Name in the certificate of the one client that is let in.</param>
    internal RsyslogServer(
        KernelNamespace space, string directory, string authorityFile, (string Certificate, string Key) serverFiles, string client)
    {
        Requirements.Tool("rsyslogd");
        _space = space;
        _directory = directory;
        File.WriteAllText(Path.Join(directory, "rsyslog.conf"), $$"""
            global(workDirectory="{{directory}}" maxMessageSize="16k" parser.escapeControlCharactersOnReceive="off"
              defaultNetstreamDriverCAFile="{{authorityFile}}"
              defaultNetstreamDriverCertFile="{{serverFiles.Certificate}}" defaultNetstreamDriverKeyFile="{{serverFiles.Key}}")
            module(load="imuxsock" sysSock.use="off")
            module(load="imudp")
            module(load="imptcp")
            module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/name"
              permittedPeer=["{{client}}"])
            template(name="parts" type="list" option.jsonf="on") {
              property(outname="pri" name="pri-text" format="jsonf")
              property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
              property(outname="host" name="hostname" format="jsonf")
              property(outname="app" name="app-name" format="jsonf")
              property(outname="process" name="procid" format="jsonf")
              property(outname="id" name="msgid" format="jsonf")
              property(outname="data" name="structured-data" format="jsonf")
              property(outname="input" name="inputname" format="jsonf")
              property(outname="msg" name="msg" format="jsonf")
            }
            ruleset(name="keep") { action(type="omfile" file="{{OutputFile}}" template="parts") }
            input(type="imuxsock" socket="{{DatagramSocket}}" useSpecialParser="off" parseHostname="on" ruleset="keep"
              ignoreTimestamp="off" useSysTimeStamp="off"
              rateLimit.interval="0")
            input(type="imptcp" path="{{StreamSocket}}" unlink="on" ruleset="keep")
            input(type="imudp" address="127.0.0.1" port="{{UdpPort}}" ruleset="keep")
            input(type="imptcp" address="127.0.0.1" port="{{TcpPort}}" ruleset="keep")
            input(type="imtcp" address="127.0.0.1" port="{{TlsPort}}" ruleset="keep")
            """);
    }

    internal string DatagramSocket => Path.Join(_directory, "log");

    internal string StreamSocket => Path.Join(_directory, "stream");

    private string OutputFile => Path.Join(_directory, "messages");

    /// <summary>What has come so far.</summary>
    internal IReadOnlyList<JsonElement> Messages => !File.Exists(OutputFile)
        ? []
        : [.. File.ReadAllText(OutputFile).Split('\n')[..^1].Select(static line => JsonDocument.Parse(line).RootElement)];

    internal void Start()
    {
        _process = _space.Start(
            "rsyslogd", "-n", "-f", Path.Join(_directory, "rsyslog.conf"), "-i", Path.Join(_directory, "pid"));
        Eventually.True(
            () => File.Exists(Path.Join(_directory, "pid")) && File.Exists(DatagramSocket) && Listens(),
            state: () => string.Join('\n', _process.Error));
    }

    internal void Stop() => _process!.Stop();

    private bool Listens()
    {
        string sockets = _space.Exec("ss", "-Hltn");
        return sockets.Contains($":{TcpPort} ", StringComparison.Ordinal) && sockets.Contains($":{TlsPort} ", StringComparison.Ordinal);
    }
}
