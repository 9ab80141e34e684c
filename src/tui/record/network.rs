//! Amazon EC2: CamelCase, as the AWS CLI prints it (the API itself speaks XML).

use serde_json::{Map, Value, json};

use super::{Record, policy};
use crate::inventory::ec2::{Permission, Route, RouteTable};
use crate::inventory::{Inventory, Kind, ResourceRef};

/// Writes what is of the network. Returns whether it was.
pub(super) fn write(inventory: &Inventory, of: &ResourceRef, record: &mut Record) -> bool {
    let id = &of.id;
    match of.kind {
        Kind::Vpc => inventory.vpcs.get(id).map(|vpc| {
            let tags = name_tag(vpc.name.as_str());
            record.call("DescribeVpcs", json!({ "VpcId": vpc.id, "CidrBlock": vpc.cidr, "Tags": tags }));
            let told = |on: &bool| json!({ "Value": on });
            record.read(
                "DescribeVpcAttribute enableDnsSupport",
                &vpc.dns_support,
                |on| json!({ "VpcId": vpc.id, "EnableDnsSupport": told(on) }),
            );
            record.read(
                "DescribeVpcAttribute enableDnsHostnames",
                &vpc.dns_hostnames,
                |on| json!({ "VpcId": vpc.id, "EnableDnsHostnames": told(on) }),
            );
        }),
        Kind::Subnet => inventory.subnets.get(id).map(|subnet| {
            record.call(
                "DescribeSubnets",
                json!({
                    "SubnetId": subnet.id,
                    "VpcId": subnet.vpc,
                    "AvailabilityZone": subnet.zone,
                    "CidrBlock": subnet.cidr,
                    "MapPublicIpOnLaunch": subnet.public_ip,
                    "Tags": name_tag(subnet.name.as_str()),
                }),
            );
        }),
        Kind::RouteTable => inventory.route_tables.get(id).map(|table| route_table(table, record)),
        Kind::Endpoint => inventory.endpoints.get(id).map(|endpoint| {
            let groups: Vec<Value> = endpoint.security_groups.iter().map(|id| json!({ "GroupId": id })).collect();
            record.call(
                "DescribeVpcEndpoints",
                json!({
                    "VpcEndpointId": endpoint.id,
                    "VpcEndpointType": endpoint.kind,
                    "VpcId": endpoint.vpc,
                    "ServiceName": endpoint.service,
                    "State": endpoint.state,
                    "PolicyDocument": endpoint.policy.as_ref().map(policy),
                    "PrivateDnsEnabled": endpoint.private_dns,
                    "RouteTableIds": endpoint.route_tables,
                    "SubnetIds": endpoint.subnets,
                    "Groups": groups,
                    "Tags": name_tag(endpoint.name.as_str()),
                }),
            );
        }),
        Kind::SecurityGroup => inventory.security_groups.get(id).map(|group| {
            record.call(
                "DescribeSecurityGroups",
                json!({
                    "GroupId": group.id,
                    "GroupName": group.name,
                    "VpcId": group.vpc,
                    "IpPermissions": group.ingress.iter().map(permission).collect::<Vec<_>>(),
                    "IpPermissionsEgress": group.egress.iter().map(permission).collect::<Vec<_>>(),
                }),
            );
        }),
        _ => None,
    }
    .is_some()
}

fn name_tag(name: &str) -> Value {
    if name.is_empty() { Value::Null } else { json!([{ "Key": "Name", "Value": name }]) }
}

fn route_table(table: &RouteTable, record: &mut Record) {
    let main = table.main.then(|| json!({ "Main": true }));
    let named = table.subnets.iter().map(|id| json!({ "Main": false, "SubnetId": id }));
    let associations: Vec<Value> = main.into_iter().chain(named).collect();
    record.call(
        "DescribeRouteTables",
        json!({
            "RouteTableId": table.id,
            "VpcId": table.vpc,
            "Associations": associations,
            "Routes": table.routes.iter().map(route).collect::<Vec<_>>(),
            "Tags": name_tag(table.name.as_str()),
        }),
    );
}

fn route(route: &Route) -> Value {
    let (to, target) = (route.destination.as_str(), route.target.as_str());
    let destination = match to {
        to if to.starts_with("pl-") => "DestinationPrefixListId",
        to if to.contains(':') => "DestinationIpv6CidrBlock",
        _ => "DestinationCidrBlock",
    };
    let field = match target.split('-').next().unwrap_or_default() {
        "nat" => "NatGatewayId",
        "eigw" => "EgressOnlyInternetGatewayId",
        "cagw" => "CarrierGatewayId",
        "tgw" => "TransitGatewayId",
        "pcx" => "VpcPeeringConnectionId",
        "eni" => "NetworkInterfaceId",
        "i" => "InstanceId",
        // local, igw-, vgw- and vpce- all come as GatewayId.
        _ => "GatewayId",
    };
    let mut out = Map::new();
    out.insert(destination.to_owned(), to.into());
    out.insert(field.to_owned(), target.into());
    out.insert("State".to_owned(), route.state.as_str().into());
    out.into()
}

fn permission(permission: &Permission) -> Value {
    let mut out = Map::new();
    out.insert("IpProtocol".into(), permission.protocol.as_str().into());
    if let Some((from, to)) = permission.ports {
        out.insert("FromPort".into(), from.into());
        out.insert("ToPort".into(), to.into());
    }
    for peer in &permission.peers {
        let peer = peer.as_str();
        let (list, field) = match peer {
            peer if peer.starts_with("pl-") => ("PrefixListIds", "PrefixListId"),
            peer if peer.contains("sg-") => ("UserIdGroupPairs", "GroupId"),
            peer if peer.contains(':') => ("Ipv6Ranges", "CidrIpv6"),
            _ => ("IpRanges", "CidrIp"),
        };
        let mut one = Map::new();
        one.insert(field.to_owned(), peer.into());
        if let Value::Array(held) = out.entry(list).or_insert_with(|| json!([])) {
            held.push(one.into());
        }
    }
    out.into()
}
