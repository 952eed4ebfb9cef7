using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ConntrackStream.Sinks.Tests.Syslog;

/// <summary>A server of streams: takes the octets apart by their counts, as RFC 6587 says.</summary>
internal sealed class SyslogListener : IDisposable
{
    private readonly Socket _listener;
    private readonly X509Certificate2? _certificate;
    private Socket? _accepted;

    /// <param name="port">0 for any.</param>
    /// <param name="certificate">For TLS, with its key; the client must have one then, too.</param>
    internal SyslogListener(int port = 0, X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen();
    }

    internal SyslogListener(string path)
    {
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
    }

    internal int Port => Address.Port;

    internal IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Of connections that are accepted later; bytes.</summary>
    internal int ReceiveBufferSize { set => _listener.ReceiveBufferSize = value; }

    internal X509Certificate? Client { get; private set; }

    internal async Task<Stream> AcceptAsync()
    {
        _accepted = await _listener.AcceptAsync(SyslogRig.Token);
        NetworkStream stream = new(_accepted, ownsSocket: true);
        if (_certificate is null)
            return stream;
        SslStream secured = new(stream);
        SslServerAuthenticationOptions options = new()
        {
            ServerCertificate = _certificate,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, client, _, _) => (Client = client) is not null,
        };
        await secured.AuthenticateAsServerAsync(options, SyslogRig.Token);
        return secured;
    }

    /// <summary>Closes the connection so that everything that is not read is lost.</summary>
    internal void Reset()
    {
        _accepted!.LingerState = new LingerOption(true, 0);
        _accepted.Dispose();
    }

    internal static async Task<string> ReadAsync(Stream stream)
    {
        StringBuilder digits = new();
        byte[] one = new byte[1];
        while (true)
        {
            await stream.ReadExactlyAsync(one, SyslogRig.Token);
            if (one[0] == ' ')
                break;
            Assert.InRange(one[0], (byte)'0', (byte)'9');
            digits.Append((char)one[0]);
        }

        byte[] message = new byte[int.Parse(digits.ToString(), CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(message, SyslogRig.Token);
        return Encoding.UTF8.GetString(message);
    }

    internal static async Task<string[]> ReadAsync(Stream stream, int count)
    {
        string[] subjects = new string[count];
        for (int i = 0; i < count; i++)
            subjects[i] = SyslogRig.Subject(await ReadAsync(stream));
        return subjects;
    }

    public void Dispose()
    {
        _listener.Dispose();
        _accepted?.Dispose();
    }
}
