using System.Buffers.Binary;
using System.Text;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>Requests and answers of Kafka's protocol, each behind its length: as far as <see cref="SecureKafka"/> must know them.</summary>
internal static class KafkaFrame
{
    internal const short Metadata = 3, FindCoordinator = 10, SaslHandshake = 17, ApiVersions = 18, SaslAuthenticate = 36;

    private const short SaslAuthenticationFailed = 58, UnsupportedMechanism = 33;
    private const int HeaderLength = 8; // of a request, before its client's name: key, version, number

    internal static async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        byte[] length = new byte[sizeof(int)];
        await stream.ReadExactlyAsync(length, cancellation);
        byte[] frame = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        await stream.ReadExactlyAsync(frame, cancellation);
        return frame;
    }

    internal static async Task WriteAsync(Stream stream, byte[] frame, CancellationToken cancellation)
    {
        byte[] all = new byte[sizeof(int) + frame.Length];
        BinaryPrimitives.WriteInt32BigEndian(all, frame.Length);
        frame.CopyTo(all, sizeof(int));
        await stream.WriteAsync(all, cancellation);
    }

    internal static short KeyOf(byte[] request) => BinaryPrimitives.ReadInt16BigEndian(request);

    internal static short VersionOf(byte[] request) => BinaryPrimitives.ReadInt16BigEndian(request.AsSpan(2));

    /// <summary>An answer has the number of its request.</summary>
    internal static int NumberOf(byte[] request) => BinaryPrimitives.ReadInt32BigEndian(request.AsSpan(4));

    /// <summary>Of SaslHandshake.</summary>
    internal static string MechanismOf(byte[] request)
    {
        ReadOnlySpan<byte> body = Body(request);
        return Encoding.UTF8.GetString(body.Slice(2, BinaryPrimitives.ReadInt16BigEndian(body)));
    }

    /// <summary>Of SaslAuthenticate.</summary>
    internal static byte[] SaidIn(byte[] request) => Body(request)[sizeof(int)..].ToArray();

    /// <summary>To SaslHandshake.</summary>
    internal static byte[] Mechanisms(byte[] request, string[] offered)
    {
        bool isOffered = offered.Contains(MechanismOf(request), StringComparer.Ordinal);
        List<byte> answer = Begin(request, isOffered ? (short)0 : UnsupportedMechanism);
        Add(answer, offered.Length);
        foreach (string mechanism in offered)
            Add(answer, mechanism);
        return [.. answer];
    }

    /// <summary>To SaslAuthenticate.</summary>
    /// <param name="said">Null: the user is refused.</param>
    internal static byte[] Authenticated(byte[] request, byte[]? said)
    {
        List<byte> answer = Begin(request, said is null ? SaslAuthenticationFailed : (short)0);
        Add(answer, said is null ? "Authentication failed: invalid credentials" : "");
        Add(answer, said?.Length ?? 0);
        answer.AddRange(said ?? []);
        return [.. answer];
    }

    /// <summary>Adds the two requests of SASL to the answer to ApiVersions.</summary>
    internal static byte[] WithSasl(byte[] answer)
    {
        const int CountAt = 6, Behind = CountAt + sizeof(int); // number and error are before it
        byte[] handshake = [0, (byte)SaslHandshake, 0, 0, 0, 1], authenticate = [0, (byte)SaslAuthenticate, 0, 0, 0, 0]; // versions
        Span<byte> count = answer.AsSpan(CountAt);
        BinaryPrimitives.WriteInt32BigEndian(count, BinaryPrimitives.ReadInt32BigEndian(count) + 2);
        return [.. answer[..Behind], .. handshake, .. authenticate, .. answer[Behind..]];
    }

    /// <summary>Puts another port in the place of a broker's, behind its address.</summary>
    internal static void ReplacePort(Span<byte> answer, int from, int to)
    {
        Span<byte> before = stackalloc byte[13], after = stackalloc byte[sizeof(int)];
        "127.0.0.1"u8.CopyTo(before);
        BinaryPrimitives.WriteInt32BigEndian(before[9..], from);
        BinaryPrimitives.WriteInt32BigEndian(after, to);
        for (int at; (at = answer.IndexOf(before)) >= 0; answer = answer[(at + before.Length)..])
            after.CopyTo(answer[(at + 9)..]);
    }

    /// <summary>Behind the client's name, in versions without tagged fields.</summary>
    private static ReadOnlySpan<byte> Body(byte[] request) => request.AsSpan(
        HeaderLength + sizeof(short) + Math.Max((short)0, BinaryPrimitives.ReadInt16BigEndian(request.AsSpan(HeaderLength))));

    private static List<byte> Begin(byte[] request, short error)
    {
        List<byte> answer = [];
        Add(answer, NumberOf(request));
        answer.AddRange([(byte)(error >> 8), (byte)error]);
        return answer;
    }

    private static void Add(List<byte> answer, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        answer.AddRange(bytes);
    }

    private static void Add(List<byte> answer, string text)
    {
        answer.AddRange([(byte)(text.Length >> 8), (byte)text.Length]);
        answer.AddRange(Encoding.UTF8.GetBytes(text));
    }
}
