using System.Reflection;

namespace ConntrackStream.Sinks.Otlp.Wire;

/// <summary>The fields that come before the records or metrics of each request: who sends them.</summary>
/// <remarks>
/// ResourceLogs and ResourceMetrics have the same numbers, and so have ScopeLogs and ScopeMetrics
/// (opentelemetry/proto/logs/v1/logs.proto, opentelemetry/proto/metrics/v1/metrics.proto).
/// </remarks>
internal static class ResourceBytes
{
    internal const string ScopeName = "conntrack-stream";

    private const int Resource = 1, Scopes = 2, ResourceSchema = 3; // ResourceLogs
    private const int Scope = 1, ScopeSchema = 3; // ScopeLogs
    private const int Attributes = 1; // Resource
    private const int Name = 1, Version = 2; // InstrumentationScope

    // of the semantic conventions that the names of attributes are from
    private const string Schema = "https://opentelemetry.io/schemas/1.37.0";

    /// <summary>Field 1 of a request: all there is of one resource.</summary>
    private const int Request = 1;

    internal static string ProgramVersion { get; } =
        typeof(ResourceBytes).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    /// <summary>Resource, in ResourceLogs.</summary>
    internal static byte[] OfResource(IEnumerable<KeyValuePair<string, string>> attributes) =>
    [
        .. ProtoMessage.Field(
            Resource, [.. attributes.SelectMany(static pair => AttributeBytes.Text(Attributes, pair.Key, pair.Value))]),
        .. ProtoMessage.Text(ResourceSchema, Schema),
    ];

    /// <summary>InstrumentationScope, in ScopeLogs.</summary>
    internal static byte[] OfScope() =>
    [
        .. ProtoMessage.Field(Scope, [.. ProtoMessage.Text(Name, ScopeName), .. ProtoMessage.Text(Version, ProgramVersion)]),
        .. ProtoMessage.Text(ScopeSchema, Schema),
    ];

    /// <summary>Bytes of <see cref="Write"/>, at most.</summary>
    internal static int MostHeadBytes(byte[] resource, byte[] scope) => HeadBytes(resource, scope, int.MaxValue - 64 - scope.Length);

    /// <summary>Bytes of <see cref="Write"/>.</summary>
    internal static int HeadBytes(byte[] resource, byte[] scope, int length)
    {
        int ofScope = 1 + ProtoWriter.VarintLength((ulong)(scope.Length + length)) + scope.Length;
        int ofResource = 1 + ProtoWriter.VarintLength((ulong)resource.Length + (ulong)ofScope + (ulong)length) + resource.Length;
        return ofResource + ofScope;
    }

    /// <summary>What stands before records of this length: the heads of ResourceLogs and ScopeLogs.</summary>
    internal static void Write(ref ProtoWriter writer, byte[] resource, byte[] scope, int length)
    {
        int ofScope = scope.Length + length;
        int ofResource = resource.Length + 1 + ProtoWriter.VarintLength((ulong)ofScope) + ofScope; // 1: the tag
        writer.Number((ulong)ProtoWriter.Tag(Request, ProtoWriter.Len));
        writer.Number((ulong)ofResource);
        writer.Bytes(resource);
        writer.Number((ulong)ProtoWriter.Tag(Scopes, ProtoWriter.Len));
        writer.Number((ulong)ofScope);
        writer.Bytes(scope);
    }
}
