namespace ConntrackStream.Service.Conntrack.Syntax;

internal sealed partial class CommandParser
{
    private void TakeAddress(char option)
    {
        (EntryTemplate template, TemplateFields field, Given given, Given maskGiven) = option switch
        {
            's' => (_template, TemplateFields.Source, Given.Source, Given.MaskSource),
            'd' => (_template, TemplateFields.Destination, Given.Destination, Given.MaskDestination),
            'r' => (_template, TemplateFields.ReplySource, Given.ReplySource, Given.None),
            'q' => (_template, TemplateFields.ReplyDestination, Given.ReplyDestination, Given.None),
            '[' => (_expected, TemplateFields.Source, Given.TupleSource, Given.MaskSource),
            ']' => (_expected, TemplateFields.Destination, Given.TupleDestination, Given.MaskDestination),
            '{' => (_mask, TemplateFields.Source, Given.MaskSource, Given.None),
            _ => (_mask, TemplateFields.Destination, Given.MaskDestination, Given.None),
        };
        AddressArgument argument = ReadAddress(option, _reader.Value!, takesLength: maskGiven != Given.None);
        template.SetAddress(field, argument.Address, argument.Family);
        _given |= given;
        if (argument.Length is null || argument.IsWhole)
            return;
        _mask.SetAddress(field, argument.Mask, argument.Family);
        _given |= maskGiven;
    }

    private AddressArgument ReadAddress(char option, string text, bool takesLength)
    {
        if (!AddressArgument.TryParse(text, out AddressArgument argument, out bool isLengthValid))
            throw ConntrackFault.Usage($"Invalid IP address `{text}'");
        SetFamily(argument.Family);
        if (argument.Length is not null && !takesLength)
            throw ConntrackFault.Usage($"CIDR notation unavailable for `--{LongOption.NameOf(option)}'");
        return isLengthValid ? argument : throw ConntrackFault.Usage("Invalid netmask");
    }

    private void TakeNat(char option)
    {
        _given |= option switch { 'n' => Given.SourceNat, 'g' => Given.DestinationNat, _ => Given.AnyNat };
        if (_reader.TakeOperand() is not { } text)
            return;
        (string address, ushort? port) = NatArgument.Split(text);
        AddressArgument argument = ReadAddress(option, address, takesLength: false);
        if (option != 'n')
            _template.SetDestinationNat(argument.Address, argument.Family, port);
        if (option != 'g')
            _template.SetSourceNat(argument.Address, argument.Family, port);
    }
}
