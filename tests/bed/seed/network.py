"""Networks: isolated subnets with endpoints, and one subnet for each way out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .names import ACCOUNT, HOME


@dataclass
class Network:
    """Identifiers by Name tag."""

    subnets: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    vpcs: dict[str, str] = field(default_factory=dict)


def tags(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}, {"Key": "team", "Value": "orion"}]}]


def plant(planter: Any) -> Network:
    planter.backend("ec2", HOME).reset()  # its default VPC gets seeded identifiers too
    ec2, made = planter.client("ec2", HOME), Network()

    def vpc(name: str, block: str) -> str:
        made.vpcs[name] = ec2.create_vpc(CidrBlock=block, TagSpecifications=tags("vpc", name))["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=made.vpcs[name], EnableDnsHostnames={"Value": True})
        return made.vpcs[name]

    def subnet(name: str, owner: str, block: str, zone: str, table: str | None = None) -> str:
        made.subnets[name] = ec2.create_subnet(
            VpcId=owner, CidrBlock=block, AvailabilityZone=HOME + zone, TagSpecifications=tags("subnet", name)
        )["Subnet"]["SubnetId"]
        if table:
            ec2.associate_route_table(RouteTableId=table, SubnetId=made.subnets[name])
        return made.subnets[name]

    def table(name: str, owner: str) -> str:
        answer = ec2.create_route_table(VpcId=owner, TagSpecifications=tags("route-table", name))
        return answer["RouteTable"]["RouteTableId"]

    def group(name: str, owner: str) -> str:
        made.groups[name] = ec2.create_security_group(
            GroupName=name, Description=name, VpcId=owner, TagSpecifications=tags("security-group", name)
        )["GroupId"]
        return made.groups[name]

    # vpc-orion: isolated, everything through endpoints.
    orion = vpc("vpc-orion", "10.20.0.0/16")
    isolated = table("rt-isolated", orion)
    subnet("orion-iso-a", orion, "10.20.1.0/24", "a", isolated)
    subnet("orion-iso-b", orion, "10.20.2.0/24", "b", isolated)
    group("sg-tuner", orion), group("sg-endpoints", orion)
    ec2.authorize_security_group_ingress(
        GroupId=made.groups["sg-endpoints"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.20.0.0/16"}]}],
    )
    endpoints(ec2, made, orion, isolated)

    # vpc-lab: its main route table leads out through NAT; other tables lead elsewhere.
    lab = vpc("vpc-lab", "10.30.0.0/16")
    gateway = ec2.create_internet_gateway(TagSpecifications=tags("internet-gateway", "igw-lab"))["InternetGateway"][
        "InternetGatewayId"
    ]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=lab)
    public, local, transit = table("rt-public", lab), table("rt-local", lab), table("rt-transit", lab)
    subnet("lab-pub-a", lab, "10.30.1.0/24", "a", public)
    ec2.create_route(RouteTableId=public, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    subnet("lab-ip-a", lab, "10.30.2.0/24", "a", local)
    ec2.modify_subnet_attribute(SubnetId=made.subnets["lab-ip-a"], MapPublicIpOnLaunch={"Value": True})
    subnet("lab-nat-a", lab, "10.30.3.0/24", "a")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=made.subnets["lab-pub-a"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    main = ec2.describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [lab]}, {"Name": "association.main", "Values": ["true"]}]
    )["RouteTables"][0]
    ec2.create_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    subnet("lab-tgw-a", lab, "10.30.4.0/24", "a", transit)
    hub = ec2.create_transit_gateway(Description="hub")["TransitGateway"]["TransitGatewayId"]
    ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=hub, VpcId=lab, SubnetIds=[made.subnets["lab-tgw-a"]])
    ec2.create_route(RouteTableId=transit, DestinationCidrBlock="0.0.0.0/0", TransitGatewayId=hub)
    group("sg-lab", lab)

    # Named by jobs, and gone since.
    ec2.delete_subnet(SubnetId=subnet("lab-gone-a", lab, "10.30.9.0/24", "b"))
    ec2.delete_security_group(GroupId=group("sg-gone", lab))
    return made


def endpoints(ec2: Any, made: Network, vpc: str, table: str) -> None:
    own = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
                    "Resource": ["arn:aws:s3:::orion-*"],
                    "Condition": own,
                }
            ],
        }
    )
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{HOME}.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[table],
        PolicyDocument=document,
        TagSpecifications=tags("vpc-endpoint", "vpce-s3"),
    )
    for short in ("bedrock", "bedrock-runtime", "kms", "logs"):
        ec2.create_vpc_endpoint(
            VpcId=vpc,
            ServiceName=f"com.amazonaws.{HOME}.{short}",
            VpcEndpointType="Interface",
            PrivateDnsEnabled=True,
            SubnetIds=[made.subnets["orion-iso-a"], made.subnets["orion-iso-b"]],
            SecurityGroupIds=[made.groups["sg-endpoints"]],
            TagSpecifications=tags("vpc-endpoint", f"vpce-{short}"),
        )
