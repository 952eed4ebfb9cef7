using System.Security.Cryptography;
using System.Text;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Options;

/// <summary>Who sends: https://opentelemetry.io/docs/specs/semconv/resource/.</summary>
internal static class OtlpResource
{
    private const string MachineIdFile = "/etc/machine-id"; // machine-id(5)

    /// <summary>The service's own attributes, and those of the options.</summary>
    /// <param name="options">Their host, and what replaces them.</param>
    /// <param name="networkNamespace">That is followed, by name; null when it is the service's own.</param>
    internal static IReadOnlyList<KeyValuePair<string, string>> Attributes(OtlpOptions options, string? networkNamespace)
    {
        string? machine = MachineId();
        OrderedDictionary<string, string> attributes = new(StringComparer.Ordinal)
        {
            ["service.name"] = ResourceBytes.ScopeName,
            ["service.version"] = ResourceBytes.ProgramVersion,
            ["service.instance.id"] = InstanceId(machine, networkNamespace).ToString(),
            ["host.name"] = options.Host ?? Environment.MachineName,
            ["os.type"] = "linux",
        };
        if (machine is not null)
            attributes["host.id"] = machine;
        foreach (string attribute in options.ResourceAttributes)
        {
            int equals = attribute.IndexOf('=', StringComparison.Ordinal);
            attributes[attribute[..equals].Trim()] = attribute[(equals + 1)..].Trim();
        }

        return [.. attributes];
    }

    /// <summary>
    /// The same after a restart, so that metrics stay one series; another for each network namespace of the machine. Where the machine has
    /// no id, it is one by chance.
    /// </summary>
    internal static Guid InstanceId(string? machine, string? networkNamespace)
    {
        if (machine is null)
            return Guid.NewGuid();
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{ResourceBytes.ScopeName}/{machine}/{networkNamespace}"));
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80); // version 8, RFC 9562
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80); // variant
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }

    private static string? MachineId()
    {
        try
        {
            string id = File.ReadAllText(MachineIdFile).Trim();
            return id.Length == 32 && id.All(char.IsAsciiHexDigitLower) ? id : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
