namespace ConntrackStream.Kafka;

/// <summary>What the client says, with the keys of <c>Plugins:Kafka</c> where it names its own settings.</summary>
internal static class ClientWords
{
    private const string TurnedAwayHint = $"; the broker may want {KafkaAccess.Section}:Tls, its CertificateFile, or a User";

    private static readonly (string Setting, string Key)[] Keys =
    [
        ("ssl.ca.location", $"{KafkaAccess.Section}:Tls:CaFile"),
        ("ssl.certificate.location", $"{KafkaAccess.Section}:Tls:CertificateFile"),
        ("ssl.key.location", $"{KafkaAccess.Section}:Tls:KeyFile"),
        ("sasl.mechanisms", $"{KafkaAccess.Section}:Mechanism"),
        ("security.protocol", $"{KafkaAccess.Section}:Tls or User"),
    ];

    internal static string Translate(string said)
    {
        if (said.StartsWith("[thrd:", StringComparison.Ordinal) && said.IndexOf("]: ", StringComparison.Ordinal) is var at and > 0)
            said = said[(at + "]: ".Length)..];
        foreach ((string setting, string key) in Keys)
            said = said.Replace(setting, key, StringComparison.Ordinal);
        return IsTurnedAway(said) ? said + TurnedAwayHint : said;
    }

    /// <summary>The first request was not answered: so do brokers that take it for noise, or miss a certificate.</summary>
    internal static bool IsTurnedAway(string said) => said.Contains("in state APIVERSION_QUERY", StringComparison.Ordinal);
}
