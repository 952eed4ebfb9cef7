using System.Text.Json;
using System.Text.Json.Serialization;

namespace ConntrackStream.Service.Hosting;

/// <summary>What a sysctl was before this service changed it.</summary>
/// <param name="Name">Under net.netfilter.</param>
/// <param name="Original">To be restored.</param>
/// <param name="Set">What this service made of it.</param>
internal sealed record SysctlChange(string Name, string Original, string Set);

/// <summary>The changes of one network namespace in one boot, as kept in State:Directory.</summary>
internal sealed record SysctlRecord(string BootId, ulong NamespaceCookie, IReadOnlyList<SysctlChange> Changes)
{
    internal byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, SysctlRecordJson.Default.SysctlRecord);

    /// <exception cref="JsonException">It is damaged.</exception>
    internal static SysctlRecord Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, SysctlRecordJson.Default.SysctlRecord) is { BootId: not null, Changes: not null } record
            && record.Changes.All(static change => change is { Name: not null, Original: not null, Set: not null })
            ? record
            : throw new JsonException("not a record of sysctl values");
}

[JsonSerializable(typeof(SysctlRecord))]
[JsonSourceGenerationOptions(WriteIndented = true)]
internal sealed partial class SysctlRecordJson : JsonSerializerContext;
